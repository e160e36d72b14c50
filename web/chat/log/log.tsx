import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { ChatMessage, RoomState } from "../../../client/types.ts";
import { Announcer } from "./announcer.tsx";
import { MessageRow } from "./message-row.tsx";
import { readersOf } from "./readers.ts";
import { type Row, rowsOf } from "./rows.ts";
import { useReading } from "./use-reading.ts";

// As many as one request brings.
const PAGE = 200;

interface LogProps {
  roomId: string;
  title: string;
  state: RoomState;
  me: string;
  /** Up to where the reader had read when they came. */
  readSeq: number | undefined;
  loadMore: (limit: number) => Promise<unknown>;
  onRead: (seq: number) => void;
  onRetry: (clientMessageId: string) => void;
  onDiscard: (clientMessageId: string) => void;
  /** Escape: back to where one writes. */
  onLeave: () => void;
}

/**
 * A room's messages. Only those near the window are in the document. Changes are announced by a region of its own: a
 * log of which rows come and go with scrolling would have everything read aloud.
 */
export function Log(props: LogProps) {
  const { title, state, me, readSeq, onRetry, onDiscard } = props;
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => rowsOf(state.messages, readSeq, me), [state.messages, readSeq, me]);
  const loadOlder = useOlder(props);
  const { isShifted, isAtEnd, below, toEnd, onScroll, onResize } = useReading(list, rows, loadOlder);
  useReadMark(props, isAtEnd);
  const readBy = useMemo(() => readersOf(state, me), [state, me]);
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    toEnd();
    props.onLeave();
  };
  const line = (row: Row) => (
    <MessageRow
      key={row.message.key}
      {...row}
      isMine={row.message.userId === me}
      readBy={readBy?.key === row.message.key ? readBy.words : undefined}
      onRetry={onRetry}
      onDiscard={onDiscard}
    />
  );
  return (
    <div className="reading">
      <div ref={scroller} className="log" role="log" aria-live="off" aria-label={title} tabIndex={0} onKeyDown={leave}>
        <div className="log-start">
          <Start state={state} title={title} />
        </div>
        <Virtualizer
          ref={list}
          scrollRef={scroller}
          data={rows}
          shift={isShifted}
          bufferSize={400}
          onScroll={onScroll}
          onResize={onResize}
        >
          {line}
        </Virtualizer>
      </div>
      {!isAtEnd && (
        <button type="button" className="newest" onClick={toEnd}>
          ↓ {below > 0 ? `${below} new ${below === 1 ? "message" : "messages"}` : "Newest"}
        </button>
      )}
      <Announcer state={state} me={me} />
    </div>
  );
}

/** What a log begins with, once all of it is there, and what it shows while there is nothing. */
function Start({ state, title }: { state: RoomState; title: string }) {
  if (state.messages.length > 0 || state.status !== "joined") return null;
  if (state.hasMore) return null;
  return (
    <p className="empty">
      Nobody has written in <strong>{title}</strong> yet. Say hello.
    </p>
  );
}

function useOlder({ state: { hasMore, status }, loadMore }: LogProps): () => void {
  const isBusy = useRef(false);
  return useCallback(() => {
    if (isBusy.current || !hasMore || status !== "joined") return;
    isBusy.current = true;
    void loadMore(PAGE)
      // What went wrong is told by the client as an error; scrolling on asks again.
      .catch(() => undefined)
      .finally(() => (isBusy.current = false));
  }, [hasMore, status, loadMore]);
}

/** Whoever looks at the newest message has read it. */
function useReadMark({ state, onRead, me }: LogProps, isAtEnd: boolean): void {
  const newest = state.messages.findLast((message: ChatMessage) => message.seq !== undefined);
  const seq = newest?.seq ?? 0;
  const isRead = (state.readMarks[me] ?? 0) >= seq;
  useEffect(() => {
    if (!isAtEnd || seq === 0 || isRead || state.status !== "joined") return;
    const tell = () => {
      if (document.visibilityState === "visible") onRead(seq);
    };
    tell();
    document.addEventListener("visibilitychange", tell);
    return () => document.removeEventListener("visibilitychange", tell);
  }, [isAtEnd, seq, isRead, onRead, state.status]);
}
