import { describe, expect, it } from "vitest";
import type { Entry } from "../history/entries.ts";
import { INVARIANT_NAMES, type InvariantName, judge } from "./check.ts";
import { BAD_HISTORIES } from "./bad-histories.ts";
import { beginStory, ROOM } from "./story.ts";

/** The invariants that a history breaks. */
function broken(entries: readonly Entry[]): InvariantName[] {
  return judge(entries).flatMap(({ name, violations }) => (violations.length > 0 ? [name] : []));
}

describe("the checker", () => {
  it.each(INVARIANT_NAMES)("finds a history that breaks only: %s", (name) => {
    expect(broken(BAD_HISTORIES[name]())).toEqual([name]);
  });

  it("finds nothing in a run that went well, and says what it looked at", () => {
    const verdicts = judge(goodRun());
    expect(verdicts.flatMap(({ violations }) => violations)).toEqual([]);
    expect(verdicts.filter(({ lookedAt }) => lookedAt === 0).map(({ name }) => name)).toEqual([]);
  });
});

describe("what is not a violation", () => {
  it("a message whose ack was lost, and which was sent again on the next socket", () => {
    const story = beginStory();
    story.attempt("ann", "a-000002");
    const message = story.store("user-ann", "content of a-000002");
    story.deliver("bob", message.n);
    story.drop("ann");
    story.open("ann", 2);
    story.attempt("ann", "a-000002");
    story.ack("ann", "a-000002", message, true);
    expect(broken(story.end())).toEqual([]);
  });

  it("an attempt without an answer that was stored after all, and one that was refused before", () => {
    const story = beginStory();
    story.attempt("ann", "a-000002");
    story.refuse("ann", "a-000002");
    story.attempt("ann", "a-000002");
    const message = story.store("user-ann", "content of a-000002");
    for (const name of ["ann", "bob"]) story.deliver(name, message.n);
    expect(broken(story.end())).toEqual([]);
  });

  it("other content with a used id, which is refused, next to the first", () => {
    const story = beginStory();
    story.attempt("ann", "a-000001", "something else");
    story.refuse("ann", "a-000001");
    expect(broken(story.end())).toEqual([]);
  });

  it("an ack that was doubled, between two contents sent under one id", () => {
    const story = beginStory();
    story.attempt("ann", "a-000002");
    story.attempt("ann", "a-000002", "something else");
    const message = story.store("user-ann", "content of a-000002");
    for (const name of ["ann", "bob"]) story.deliver(name, message.n);
    for (let times = 0; times < 2; times++) story.ack("ann", "a-000002", message);
    story.refuse("ann", "a-000002");
    expect(broken(story.end())).toEqual([]);
  });

  it("frames that a fault has doubled and swapped", () => {
    const story = beginStory();
    story.fault({ name: "frames_doubled", mangles: true }, () => {
      const [first, second] = [story.sayUnseen("ann", "a-000002"), story.sayUnseen("ann", "a-000003")];
      story.deliver("ann", first.n, second.n);
      story.deliver("bob", second.n, first.n, first.n);
    });
    expect(broken(story.end())).toEqual([]);
  });

  it("a gap that a client has filled from history", () => {
    const story = beginStory();
    const lost = story.sayUnseen("ann", "a-000002");
    const next = story.sayUnseen("ann", "a-000003");
    story.deliver("ann", lost.n, next.n);
    story.fault({ name: "frames_dropped", mangles: true }, () => story.deliver("bob", next.n));
    story.write({
      kind: "page",
      client: "bob",
      room: ROOM,
      askedAt: story.at,
      after: 2,
      limit: 200,
      fills: true,
      messages: [2, 3],
    });
    expect(broken(story.end())).toEqual([]);
  });

  it("somebody who sees the newest message late because the machine had no time", () => {
    const endLateAfter = (noTimeMs: number): InvariantName[] => {
      const story = beginStory();
      const last = story.sayUnseen("ann", "a-000002");
      story.deliver("ann", last.n);
      story.phase("faults");
      story.phase("healed");
      story.pass(noTimeMs);
      story.write({ kind: "late", what: "rooms", ms: noTimeMs });
      story.pass(31_000 - noTimeMs);
      story.deliver("bob", last.n);
      return broken(story.end());
    };
    expect(endLateAfter(500)).toEqual(["views are equal 30 s after healing"]);
    expect(endLateAfter(5_000)).toEqual([]);
  });

  it("somebody who is away for long and is shown as gone", () => {
    const story = beginStory();
    story.drop("bob");
    story.pass(6_000);
    story.tellGone("bob");
    story.open("bob", 2);
    expect(broken(story.end())).toEqual([]);
  });
});

/** A run with something for every invariant to look at. */
function goodRun(): Entry[] {
  const story = beginStory();
  story.come("dee", "deaf");
  story.attempt("ann", "a-000002");
  story.refuse("ann", "a-000002");
  for (let at = 0; at < 5; at++) story.say("ann", `a-5000${at}`);
  story.write({ kind: "typed", client: "ann", room: ROOM, isTyping: true });
  story.write({ kind: "typing", client: "bob", socket: 2, room: ROOM, user: "user-ann", isTyping: true });
  story.pass(5_000);
  story.write({ kind: "typing", client: "bob", socket: 2, room: ROOM, user: "user-ann", isTyping: false });
  story.write({
    kind: "page",
    client: "ann",
    room: ROOM,
    askedAt: story.at,
    limit: 50,
    fills: false,
    messages: story.stored.map(({ n }) => n),
  });
  story.write({ kind: "rows", room: ROOM, after: 0, count: 7, first: 1, last: 7 });
  story.shows("ann", [0, 1, 2, 3, 4, 5, 6], ["a-000009"]);
  story.write({ kind: "memory", bytes: 900 });
  story.write({ kind: "request", route: "GET /v1/presence", status: 200 });
  story.phase("faults");
  story.drop("bob");
  story.open("bob", 7);
  story.fault({ name: "rooms_evicted", room: "another" }, () => {
    for (let at = 0; at < 110; at++) {
      story.say("ann", `a-6000${at}`);
      story.write({ kind: "received", client: "dee", socket: 3, room: ROOM, seq: story.stored.length });
    }
  });
  story.phase("healed");
  story.pass(60_000);
  story.write({ kind: "presence_due" });
  story.write({ kind: "roster", room: ROOM, online: ["user-ann", "user-bob", "user-dee"] });
  return story.end();
}
