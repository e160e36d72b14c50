import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from "react";
import type { VirtualizerHandle } from "virtua";
import type { Row } from "./rows.ts";

// Closer to the end than this, the reader wants to see what comes.
const AT_END_PX = 80;
// Older messages are fetched before the reader sees the first one.
const NEAR_START_PX = 1_200;

interface Reading {
  /** Rows came before the first one: the list keeps its distance to the end, so nothing moves under the reader. */
  isShifted: boolean;
  isAtEnd: boolean;
  /** Messages that came while the reader was further up. */
  below: number;
  toEnd: () => void;
  onScroll: (offset: number) => void;
  onResize: () => void;
}

/**
 * Keeps a log where its reader is: at the newest message when they were there, else at the message they were reading.
 *
 * @param onNearStart Asks for older messages; called again and again while the reader is near the start.
 */
export function useReading(
  list: RefObject<VirtualizerHandle | null>,
  rows: readonly Row[],
  onNearStart: () => void,
): Reading {
  const before = useRef<{ first?: string | undefined; last?: string | undefined }>({});
  const stays = useRef(true);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const [lastSeen, setLastSeen] = useState<string>();
  const { first, last } = before.current;
  const isShifted =
    first !== undefined && first !== rows[0]?.message.key && rows.some((row) => row.message.key === first);

  const toEnd = useCallback(() => {
    stays.current = true;
    setIsAtEnd(true);
    list.current?.scrollToIndex(Number.MAX_SAFE_INTEGER, { align: "end" });
  }, [list]);

  const newest = rows.at(-1);
  useLayoutEffect(() => {
    const isNews = newest?.message.key !== last;
    before.current = { first: rows[0]?.message.key, last: newest?.message.key };
    const isOwn = newest?.message.state === "sending";
    if (isNews && (stays.current || isOwn)) toEnd();
  });

  const onScroll = (offset: number) => {
    const handle = list.current;
    if (handle === null) return;
    stays.current = handle.scrollSize - handle.viewportSize - offset < AT_END_PX;
    setIsAtEnd(stays.current);
    if (!stays.current && isAtEnd) setLastSeen(newest?.message.key);
    if (offset < NEAR_START_PX) onNearStart();
  };
  const onResize = () => {
    const handle = list.current;
    if (handle === null) return;
    if (stays.current) handle.scrollToIndex(Number.MAX_SAFE_INTEGER, { align: "end" });
    if (handle.scrollOffset < NEAR_START_PX) onNearStart();
  };
  return { isShifted, isAtEnd, below: isAtEnd ? 0 : countAfter(rows, lastSeen), toEnd, onScroll, onResize };
}

function countAfter(rows: readonly Row[], key: string | undefined): number {
  if (key === undefined) return 0;
  const at = rows.findLastIndex((row) => row.message.key === key);
  return at === -1 ? 0 : rows.length - 1 - at;
}
