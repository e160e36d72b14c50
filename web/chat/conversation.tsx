import { type ReactNode, useCallback, useRef, useState } from "react";
import { useChat, useTyping } from "../../client/react/index.ts";
import { UNJOINED } from "../../client/react/use-room-state.ts";
import type { RoomState } from "../../client/types.ts";
import { useMedia } from "../parts/use-media.ts";
import { Composer } from "./composer.tsx";
import { Log } from "./log/log.tsx";
import { People, typingWords } from "./people.tsx";
import { showRoom } from "./address.ts";

// Space for the people beside the messages, who are shown there until somebody closes the list.
const WIDE = "(min-width: 1080px)";
// Before the first effect there is no room, and nobody can say that this is where it begins.
const NOTHING_YET: RoomState = { ...UNJOINED, hasMore: true };

interface ConversationProps {
  roomId: string;
  name: string;
  me: string;
  maxLength: number;
  isOnline: boolean;
  /** Up to where the reader had read, as far as the list of channels knows. */
  readSeq: number | undefined;
  /** What was being written in each room. */
  drafts: Map<string, string>;
  /** Stands at the start of the header: what opens the list on a phone. */
  menu: ReactNode;
  banner: ReactNode;
}

/** One room: its messages, its people, and where one writes. */
export function Conversation({ roomId, name, me, maxLength, drafts, menu, banner, ...props }: ConversationProps) {
  const { room, sendMessage, loadMore, retry, discard, markRead } = useChat(roomId);
  const { isOnline } = props;
  const state = room?.state ?? NOTHING_YET;
  const field = useRef<HTMLTextAreaElement>(null);
  const isWide = useMedia(WIDE);
  const [chosen, setChosen] = useState<boolean>();
  const showsPeople = chosen ?? isWide;
  const title = `# ${name}`;
  // As it was when the reader came: the line "New" must not move away while they read.
  const [readSeq] = useState(props.readSeq);
  const { setTyping } = useTyping(roomId);
  const onRetry = useCallback((id: string) => void retry(id).catch(() => undefined), [retry]);
  const onLeave = useCallback(() => field.current?.focus(), []);
  if (state.status === "refused") return <Refused title={title} reason={state.error?.message} menu={menu} />;
  const send = (text: string) => {
    // A refusal stands at the message itself, with its text.
    sendMessage(text).catch(() => undefined);
  };
  return (
    <main className={`room${showsPeople ? " shows-people" : ""}`}>
      <header className="room-head">
        {menu}
        <h1 title={name}>{title}</h1>
        <p className={`connection${isOnline && state.status === "joined" ? " online" : ""}`} role="status">
          {isOnline ? (state.status === "joined" ? "Connected" : "Joining…") : "Not connected"}
        </p>
        <button
          type="button"
          className="quiet"
          aria-expanded={showsPeople}
          aria-controls="people"
          onClick={() => setChosen(!showsPeople)}
        >
          <span className="icon icon-people" aria-hidden="true" />
          {state.memberCount}
          <span className="unseen"> people here</span>
        </button>
      </header>
      <div className="strips">{banner}</div>
      <Log
        roomId={roomId}
        title={title}
        state={state}
        me={me}
        readSeq={readSeq}
        loadMore={loadMore}
        onRead={markRead}
        onRetry={onRetry}
        onDiscard={discard}
        onLeave={onLeave}
      />
      <p className="typing" aria-live="polite">
        {typingWords(state.typing, me)}
      </p>
      <Composer
        field={field}
        title={title}
        draft={drafts.get(roomId) ?? ""}
        maxLength={maxLength}
        isDisabled={false}
        onDraft={(text) => drafts.set(roomId, text)}
        onSend={send}
        onTyping={setTyping}
      />
      <div id="people" className="people-panel" hidden={!showsPeople}>
        <People state={state} me={me} />
      </div>
    </main>
  );
}

function Refused({ title, reason, menu }: { title: string; reason: string | undefined; menu: ReactNode }) {
  return (
    <main className="room">
      <header className="room-head">
        {menu}
        <h1>{title}</h1>
      </header>
      <div className="empty" role="alert">
        <p>
          You cannot join <strong>{title}</strong>: {reason ?? "it was refused"}.
        </p>
        <button type="button" className="primary" onClick={() => showRoom("lobby")}>
          Go to # lobby
        </button>
      </div>
    </main>
  );
}
