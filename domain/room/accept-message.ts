import { parseContent } from "../../protocol/content.ts";
import { ChatError } from "../../protocol/errors.ts";
import type { ClientMessageId, UserId } from "../../protocol/ids.ts";
import type { Filter } from "../moderation/filter.ts";
import type { RoomEvent } from "../ports/history.ts";
import { contentHash } from "./content-hash.ts";
import type { EventLog, KnownMessage } from "./event-log.ts";
import type { MessageLimit } from "./message-limit.ts";

/** Events a room keeps for history while history cannot be written. */
export const BACKLOG_MAX_EVENTS = 10_000;
export const BACKLOG_MAX_AGE_MS = 24 * 3_600_000;
const BACKLOG_RETRY_MS = 30_000;

/** What decides about a message: all of it in memory. */
export interface MessageRules {
  log: EventLog;
  /** The message that has the draft's client id already, whether the log still holds it or not. */
  known: KnownMessage | undefined;
  limit: MessageLimit;
  filter: Filter;
  maxCodePoints: number;
  backlog: Backlog;
}

/** How far history is behind. */
export interface Backlog {
  /** Events that it does not have. */
  events: number;
  /** How long it has failed to take any, in milliseconds. */
  failingMs: number;
}

export interface MessageDraft {
  /** The new message's id, should it be one. */
  id: string;
  userId: UserId;
  username: string;
  content: string;
  clientMessageId: ClientMessageId | undefined;
  /** Until then its author may not write; 0 when they may, and `Infinity` until somebody lifts it. */
  mutedUntil: number;
}

/** What the sender is told. `event` is there when the message is new: keep it before anything is said. */
export interface MessageDecision {
  seq: number;
  id: string;
  at: number;
  /** What the filter did to it, now or when it came first. */
  moderation: RoomEvent["moderation"];
  event: RoomEvent | undefined;
}

/**
 * Decides about a message without changing anything: whoever asks keeps the event, then appends it to the log.
 *
 * @throws {ChatError} `bad_content`, `content_too_long`, `duplicate_conflict`, `muted`, `rate_limited`, `history_backlog`,
 *   `blocked_by_moderation`
 */
export function decideMessage(rules: MessageRules, draft: MessageDraft, now: number): MessageDecision {
  const content = parseContent(draft.content, rules.maxCodePoints);
  const { known } = rules;
  if (known !== undefined) {
    if (known.hash !== contentHash(content)) throw new ChatError("duplicate_conflict");
    return { seq: known.seq, id: known.id, at: known.at, moderation: known.moderation, event: undefined };
  }
  requireVoice(draft, now);
  requireRoom(rules, draft.userId, now);
  const { id, userId, username } = draft;
  const seq = rules.log.head + 1;
  const at = rules.log.nextAt(now);
  const clientMessageId = draft.clientMessageId ?? null;
  const { content: kept, ...treatment } = moderate(rules.filter, content);
  const about = { seq, epoch: rules.log.epoch, kind: "message" as const, id, userId, username, clientMessageId, at };
  return { seq, id, at, moderation: treatment.moderation, event: { ...about, content: kept, ...treatment } };
}

/** What is kept of a content, and beside it only what is needed to know more. */
function moderate(filter: Filter, sent: string): Pick<RoomEvent, "content" | "moderation" | "sentHash"> {
  const { verdict, content } = filter.decide(sent);
  switch (verdict) {
    case "pass":
      return { content };
    case "flag":
      return { content, moderation: "flagged" };
    case "mask":
      return { content, moderation: "masked", sentHash: contentHash(sent) };
    case "block":
      throw new ChatError("blocked_by_moderation");
  }
}

// After looking for what is known: who is muted in the meantime still learns that their message was taken.
function requireVoice({ mutedUntil }: MessageDraft, now: number): void {
  if (mutedUntil <= now) return;
  throw new ChatError("muted", mutedUntil === Infinity ? {} : { retryAfterMs: mutedUntil - now });
}

function requireRoom({ limit, backlog }: MessageRules, userId: UserId, now: number): void {
  const retryAfterMs = limit.waitMs(userId, now);
  if (retryAfterMs !== undefined) throw new ChatError("rate_limited", { retryAfterMs });
  if (backlog.events >= BACKLOG_MAX_EVENTS || backlog.failingMs >= BACKLOG_MAX_AGE_MS)
    throw new ChatError("history_backlog", { retryAfterMs: BACKLOG_RETRY_MS });
}
