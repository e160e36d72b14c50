import { describe, expect, it } from "vitest";
import {
  clientIdKey,
  EventLog,
  hashOf,
  LOG_MAX_AGE_MS,
  LOG_MAX_EVENTS,
  PRUNE_LOT,
  REPLAY_MAX_BYTES,
  roughBytes,
  toKnown,
} from "../../../domain/room/event-log.ts";
import { contentHash } from "../../../domain/room/content-hash.ts";
import { clientId, eventAt, user } from "../../support/room-events.ts";

const seqs = (events: { seq: number }[] | undefined) => events?.map(({ seq }) => seq);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
/** A log with the events `from` to `to`. */
function logOf(from: number, to: number, over: Parameters<typeof eventAt>[1] = {}): EventLog {
  const log = new EventLog("e1", from);
  for (const seq of range(from, to)) log.append(eventAt(seq, over));
  return log;
}

describe("a room's log", () => {
  it("is empty at first, and its head is before its first event", () => {
    const log = new EventLog("e7", 41);
    expect([log.epoch, log.first, log.head, log.timeOf(40), log.timeOf(41)]).toEqual([
      "e7",
      41,
      40,
      undefined,
      undefined,
    ]);
    expect([log.latest(), log.after({ epoch: "e7", seq: 40 }), log.page(40, { events: 9, bytes: 9 })]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it("knows where the order ends: at the event or the time before it began, then at the newest of each", () => {
    const log = new EventLog("e1", 41, 7);
    expect(log.newest).toEqual({ seq: 40, at: 7 });
    log.append(eventAt(41, { at: 9 }));
    log.append(eventAt(42, { at: 8 }));
    expect(log.newest).toEqual({ seq: 42, at: 9 });
  });

  it("takes the next event only", () => {
    const log = logOf(1, 2);
    for (const seq of [1, 2, 4]) expect(() => log.append(eventAt(seq))).toThrow(`Event ${seq} does not follow 2`);
    log.append(eventAt(3));
    expect([log.first, log.head, log.timeOf(0), log.timeOf(1), log.timeOf(3), log.timeOf(4)]).toEqual([
      1,
      3,
      undefined,
      1,
      3,
      undefined,
    ]);
  });

  it("I03 knows a message by its author and client id, and the author's id cannot pose as part of it", () => {
    const log = new EventLog("e1", 1);
    log.append(eventAt(1, { userId: user("al|ice"), clientMessageId: clientId("client-1"), moderation: "flagged" }));
    log.append(eventAt(2, { clientMessageId: null }));
    expect(log.findKnown(user("al|ice"), clientId("client-1"))).toEqual({
      seq: 1,
      id: "id-1",
      at: 1,
      hash: contentHash("message 1"),
      moderation: "flagged",
    });
    expect(log.findKnown(user("al"), clientId("client-1"))).toBeUndefined();
    expect(log.findKnown(user("alice"), clientId("client-2"))).toBeUndefined();
    expect(clientIdKey(user("a|b"), clientId("client-1"))).toBe("a|b|client-1");
    expect(log.clientIdsUpTo(2)).toEqual(["al|ice|client-1"]);
  });

  it("knows a masked message by what was sent", () => {
    expect(hashOf({ content: "***", sentHash: 7 })).toBe(7);
    expect(hashOf({ content: "plain" })).toBe(contentHash("plain"));
    expect(toKnown(eventAt(3, { sentHash: 7, moderation: "masked" }))).toEqual({
      seq: 3,
      id: "id-3",
      at: 3,
      hash: 7,
      moderation: "masked",
    });
  });

  it("I09 gives times that rise, whatever the clock does", () => {
    const log = new EventLog("e1", 1, 500);
    expect([log.nextAt(400), log.nextAt(500), log.nextAt(501), log.nextAt(900)]).toEqual([501, 501, 501, 900]);
    log.append(eventAt(1, { at: 700 }));
    log.append(eventAt(2, { at: 600 }));
    expect(log.nextAt(650)).toBe(701);
  });

  it("gives who comes new the newest 50, or as many as they ask for", () => {
    const log = logOf(1, 60);
    expect(seqs(log.latest())).toEqual(range(11, 60));
    expect(seqs(log.latest(2))).toEqual([59, 60]);
  });

  it("I10 resumes without a hole or says that it cannot", () => {
    const log = logOf(1, 3);
    expect(seqs(log.after({ epoch: "e1", seq: 1 }))).toEqual([2, 3]);
    expect(seqs(log.after({ epoch: "e1", seq: 0 }))).toEqual([1, 2, 3]);
    expect(log.after({ epoch: "e1", seq: 3 })).toEqual([]);
    expect(log.after({ epoch: "e1", seq: 4 })).toBeUndefined();
    expect(log.after({ epoch: "e2", seq: 1 })).toBeUndefined();
    const late = logOf(10, 12);
    expect(seqs(late.after({ epoch: "e1", seq: 9 }))).toEqual([10, 11, 12]);
    expect(late.after({ epoch: "e1", seq: 8 })).toBeUndefined();
  });

  it("I14 replays 500 events at most, and 256 KiB unless that is fewer than 50", () => {
    const many = logOf(1, 501);
    expect(many.after({ epoch: "e1", seq: 0 })).toBeUndefined();
    expect(seqs(many.after({ epoch: "e1", seq: 1 }))).toEqual(range(2, 501));
    const content = "x".repeat(1_000);
    const each = roughBytes(eventAt(1, { content }));
    const fit = Math.floor(REPLAY_MAX_BYTES / each);
    const large = logOf(1, 300, { content });
    expect(seqs(large.latest(500))).toEqual(range(300 - fit + 1, 300));
    const huge = logOf(1, 60, { content: "€".repeat(4_000) });
    expect(seqs(huge.latest(500))).toEqual(range(11, 60));
  });

  it("replays exactly 256 KiB", () => {
    const content = "x".repeat(4_096 - 300 - "Alice".length * 3);
    expect(roughBytes(eventAt(1, { content }))).toBe(4_096);
    expect(seqs(logOf(1, 64, { content }).latest(500))).toEqual(range(1, 64));
    expect(seqs(logOf(1, 65, { content }).latest(500))).toEqual(range(2, 65));
  });

  it("reckons the size of an event from what it may take as UTF-8", () => {
    expect(roughBytes(eventAt(1, { content: "abc", username: "Al" }))).toBe(3 + 6 + 300);
    expect(roughBytes(eventAt(1, { content: "ab\u007f", username: "Al" }))).toBe(3 + 6 + 300);
    expect(roughBytes(eventAt(1, { content: "ab\u0080", username: "Al" }))).toBe(9 + 6 + 300);
    expect(roughBytes(eventAt(1, { content: "éab", username: "Al" }))).toBe(9 + 6 + 300);
    expect(roughBytes(eventAt(1, { content: "", username: "Al" }))).toBe(6 + 300);
  });
});

describe("a page of the log", () => {
  const each = roughBytes(eventAt(1, { content: "x" }));
  const log = logOf(11, 20, { content: "x" });
  const page = (seq: number, events: number, bytes = 1e9) => seqs(log.page(seq, { events, bytes }));

  it("has as many events as fit, by number and by bytes", () => {
    expect(page(10, 3)).toEqual([11, 12, 13]);
    expect(page(17, 9)).toEqual([18, 19, 20]);
    expect(page(10, 9, each * 2)).toEqual([11, 12]);
    expect(page(10, 9, each * 2 - 1)).toEqual([11]);
  });

  it("has one event at least, and none past the head", () => {
    expect(page(10, 9, 1)).toEqual([11]);
    expect(page(19, 9, 1)).toEqual([20]);
    expect(page(20, 9)).toEqual([]);
  });

  it("is not there for what is not in memory", () => {
    expect(page(9, 9)).toBeUndefined();
  });
});

describe("what the log may forget", () => {
  const DAY_4 = LOG_MAX_AGE_MS + 24 * 3_600_000;

  it("is what history has and is too old, but for the newest 500, and a lot at a time", () => {
    const log = logOf(1, 1_000);
    expect(log.prunable(1_000, DAY_4)).toBe(500);
    expect(log.prunable(400, DAY_4)).toBe(400);
    expect(log.prunable(PRUNE_LOT, DAY_4)).toBe(PRUNE_LOT);
    expect(log.prunable(PRUNE_LOT - 1, DAY_4)).toBeUndefined();
    expect(log.prunable(1_000, 1_000)).toBeUndefined();
  });

  it("is too old only past 72 hours", () => {
    const log = logOf(1, 1_000, { at: 5 });
    expect(log.prunable(1_000, LOG_MAX_AGE_MS + 5)).toBeUndefined();
    expect(log.prunable(1_000, LOG_MAX_AGE_MS + 6)).toBe(500);
  });

  it("is what makes it longer than 10,000, whatever its age", () => {
    const log = logOf(1, LOG_MAX_EVENTS + PRUNE_LOT);
    expect(log.prunable(20_000, 1)).toBe(PRUNE_LOT);
    expect(logOf(1, LOG_MAX_EVENTS + PRUNE_LOT - 1).prunable(20_000, 1)).toBeUndefined();
  });

  it("goes with its client ids, and the order goes on", () => {
    const log = logOf(1, 10);
    expect(log.clientIdsUpTo(3)).toEqual(["alice|client-1", "alice|client-2", "alice|client-3"]);
    log.prune(3);
    expect([log.first, log.head, log.timeOf(3), log.timeOf(4)]).toEqual([4, 10, undefined, 4]);
    expect([3, 4].map((seq) => log.findKnown(user("alice"), clientId(`client-${seq}`))?.seq)).toEqual([undefined, 4]);
    expect(log.clientIdsUpTo(4)).toEqual(["alice|client-4"]);
    log.append(eventAt(11));
    expect(log.head).toBe(11);
    log.prune(2);
    expect(log.first).toBe(4);
  });

  it("leaves a client id that a later event has taken over, and events without one", () => {
    const log = new EventLog("e1", 1);
    log.append(eventAt(1, { clientMessageId: clientId("the-same-id") }));
    log.append(eventAt(2, { clientMessageId: null }));
    log.append(eventAt(3, { clientMessageId: clientId("the-same-id") }));
    log.prune(2);
    expect(log.findKnown(user("alice"), clientId("the-same-id"))?.seq).toBe(3);
  });
});
