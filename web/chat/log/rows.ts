import type { ChatMessage } from "../../../client/types.ts";

const GROUP_MS = 5 * 60_000;

/** One message as the log shows it, with what stands above it. A row is one message, so that rows are put before others one to one. */
export interface Row {
  message: ChatMessage;
  /** Its day stands above it: the first message of that day. */
  isFirstOfDay: boolean;
  /** Its author and time stand above it: the first of a group. */
  isHead: boolean;
  /** The line "New" stands above it. */
  isFirstNew: boolean;
}

/**
 * @param readSeq Up to where the reader had read when they came; undefined when that is unknown.
 * @param me Whose own messages are never new.
 */
export function rowsOf(messages: readonly ChatMessage[], readSeq: number | undefined, me: string): Row[] {
  let previous: { message: ChatMessage; at: number; day: number } | undefined;
  let hasNew = readSeq === undefined;
  return messages.map((message) => {
    const at = Date.parse(message.timestamp);
    const day = dayOf(at);
    const isFirstOfDay = previous?.day !== day;
    const isFirstNew = !hasNew && message.userId !== me && (message.seq ?? 0) > (readSeq ?? 0);
    hasNew ||= isFirstNew;
    const isHead = isFirstOfDay || isFirstNew || !follows(message, at, previous);
    previous = { message, at, day };
    return { message, isFirstOfDay, isHead, isFirstNew };
  });
}

function follows(message: ChatMessage, at: number, previous?: { message: ChatMessage; at: number }): boolean {
  return previous !== undefined && previous.message.userId === message.userId && at - previous.at < GROUP_MS;
}

function dayOf(at: number): number {
  const date = new Date(at);
  return date.getFullYear() * 400 + date.getMonth() * 32 + date.getDate();
}
