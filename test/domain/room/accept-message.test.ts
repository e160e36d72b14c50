import { describe, expect, it } from "vitest";
import type { Verdict } from "../../../domain/moderation/filter.ts";
import {
  BACKLOG_MAX_AGE_MS,
  BACKLOG_MAX_EVENTS,
  decideMessage,
  type MessageDraft,
  type MessageRules,
} from "../../../domain/room/accept-message.ts";
import { contentHash } from "../../../domain/room/content-hash.ts";
import { EventLog, toKnown } from "../../../domain/room/event-log.ts";
import { MessageLimit } from "../../../domain/room/message-limit.ts";
import { ChatError } from "../../../protocol/errors.ts";
import { clientId, eventAt, user } from "../../support/room-events.ts";

const NOW = 1_000_000;
const draft: MessageDraft = {
  id: "new-id",
  userId: user("alice"),
  username: "Alice",
  content: "hello",
  clientMessageId: clientId("client-9"),
  mutedUntil: 0,
};
const event = {
  seq: 2,
  epoch: "e1",
  kind: "message",
  id: "new-id",
  userId: "alice",
  username: "Alice",
  clientMessageId: "client-9",
  at: NOW,
};

function decide(
  over: Partial<MessageDraft> = {},
  rules: Partial<MessageRules> & { verdict?: Verdict["verdict"]; sent?: number } = {},
) {
  const log = new EventLog("e1", 1);
  log.append(eventAt(1));
  const limit = new MessageLimit({ max: 2, windowMs: 60_000 });
  for (let at = 0; at < (rules.sent ?? 0); at++) limit.note(user("alice"), NOW - 10_000 + at);
  const verdict = rules.verdict ?? "pass";
  const filter = {
    decide: (content: string) => ({ verdict, content: verdict === "mask" ? "h***o" : content }),
    showName: String,
  };
  const backlog = { events: 0, failingMs: 0 };
  return decideMessage(
    { log, known: undefined, limit, filter, maxCodePoints: 10, backlog, ...rules },
    { ...draft, ...over },
    NOW,
  );
}
function refusal(...args: Parameters<typeof decide>): { code: string; retryAfterMs: number | undefined } | "taken" {
  try {
    decide(...args);
    return "taken";
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    return { code: error.code, retryAfterMs: error.retryAfterMs };
  }
}
const refused = (code: string, retryAfterMs?: number) => ({ code, retryAfterMs });

describe("decideMessage", () => {
  it("gives a new message the next place and the time", () => {
    expect(decide()).toEqual({
      seq: 2,
      id: "new-id",
      at: NOW,
      moderation: undefined,
      event: { ...event, content: "hello" },
    });
    expect(decide({ content: "  hello " }).event?.content).toBe("hello");
    expect(decide({ clientMessageId: undefined }).event?.clientMessageId).toBeNull();
  });

  it("keeps what the filter leaves, and what was sent by its hash where that is something else", () => {
    expect(decide({}, { verdict: "flag" })).toMatchObject({
      moderation: "flagged",
      event: { ...event, content: "hello", moderation: "flagged" },
    });
    expect(decide({}, { verdict: "mask" })).toEqual({
      seq: 2,
      id: "new-id",
      at: NOW,
      moderation: "masked",
      event: { ...event, content: "h***o", moderation: "masked", sentHash: contentHash("hello") },
    });
    expect(Object.keys(decide().event ?? {})).not.toContain("moderation");
    expect(refusal({}, { verdict: "block" })).toEqual(refused("blocked_by_moderation"));
  });

  it("I01 I02 answers a retry as the first time, and other content with a refusal", () => {
    const known = toKnown(eventAt(1, { content: "hello", moderation: "flagged", at: 77 }));
    expect(decide({}, { known })).toEqual({ seq: 1, id: "id-1", at: 77, moderation: "flagged", event: undefined });
    expect(decide({ content: " hello" }, { known }).seq).toBe(1);
    expect(refusal({ content: "other" }, { known })).toEqual(refused("duplicate_conflict"));
  });

  it("I01 a retry is answered to who is muted, over the limit or late", () => {
    const known = toKnown(eventAt(1, { content: "hello" }));
    const late = { known, sent: 5, backlog: { events: BACKLOG_MAX_EVENTS, failingMs: 0 } };
    expect(decide({ mutedUntil: Infinity }, late).seq).toBe(1);
  });

  it("refuses what cannot be a content before anything else", () => {
    expect(refusal({ content: " " })).toEqual(refused("bad_content"));
    expect(refusal({ content: "x".repeat(10) })).toBe("taken");
    expect(refusal({ content: "x".repeat(11), mutedUntil: Infinity })).toEqual(refused("content_too_long"));
  });

  it.each([
    [0, "taken"],
    [NOW, "taken"],
    [NOW + 1, refused("muted", 1)],
    [NOW + 60_000, refused("muted", 60_000)],
    [Infinity, refused("muted")],
  ])("muted until %d: %j", (mutedUntil, answer) => {
    expect(refusal({ mutedUntil })).toEqual(answer);
  });

  it("F16 refuses past the limit, and says when to come back", () => {
    expect(refusal({}, { sent: 1 })).toBe("taken");
    expect(refusal({}, { sent: 2 })).toEqual(refused("rate_limited", 50_000));
    expect(refusal({ userId: user("bob") }, { sent: 2 })).toBe("taken");
    expect(refusal({ mutedUntil: NOW + 5 }, { sent: 2 })).toEqual(refused("muted", 5));
  });

  it.each([
    [{ events: BACKLOG_MAX_EVENTS - 1, failingMs: BACKLOG_MAX_AGE_MS - 1 }, "taken"],
    [{ events: BACKLOG_MAX_EVENTS, failingMs: 0 }, refused("history_backlog", 30_000)],
    [{ events: 0, failingMs: BACKLOG_MAX_AGE_MS }, refused("history_backlog", 30_000)],
  ])("D04 with history behind by %j: %j", (backlog, answer) => {
    expect(refusal({}, { backlog })).toEqual(answer);
  });

  it("D04 waits with the limit before it speaks of history", () => {
    expect(refusal({}, { sent: 2, backlog: { events: BACKLOG_MAX_EVENTS, failingMs: 0 } })).toEqual(
      refused("rate_limited", 50_000),
    );
  });

  it("holds 10,000 events, or a day", () => {
    expect([BACKLOG_MAX_EVENTS, BACKLOG_MAX_AGE_MS]).toEqual([10_000, 86_400_000]);
  });
});
