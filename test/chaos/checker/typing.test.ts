import { expect, it } from "vitest";
import type { NewEntry } from "../history/recorder.ts";
import { check } from "./check.ts";
import { ROOM, Story } from "./story.ts";

const BOB = 2;

/** Ann types, Bob is shown it, and learns 11 s later that it is over; meanwhile these things happen. */
function typingFor11Seconds(...meanwhile: readonly ((at: number) => NewEntry)[]): string[] {
  const story = new Story();
  story.come("ann");
  story.come("bob");
  const place = { client: "bob", socket: BOB, room: ROOM, user: "user-ann" };
  story.write({ kind: "typed", client: "ann", room: ROOM, isTyping: true });
  story.write({ kind: "typing", ...place, isTyping: true });
  story.pass(5_000);
  for (const tell of meanwhile) story.write(tell(story.at));
  story.pass(6_000);
  story.write({ kind: "typing", ...place, isTyping: false });
  return check(story.end()).map(({ text }) => text);
}

it("typing that is shown for 11 s is a violation", () => {
  expect(typingFor11Seconds()).toEqual([expect.stringMatching(/^showed user-ann as typing 110\d\d ms/)]);
});

it.each<[string, (at: number) => NewEntry]>([
  [
    "the reader did not read for 4 s of it",
    (at) => ({ kind: "paused", client: "bob", socket: BOB, until: at + 4_000 }),
  ],
  ["the rooms' process had no time for 4 s of it", () => ({ kind: "late", what: "rooms", ms: 4_000 })],
  ["the run had no time for 4 s of it", () => ({ kind: "late", what: "run", ms: 4_000 })],
])("typing that is shown for 11 s is none when %s", (_what, tell) => {
  expect(typingFor11Seconds(tell)).toEqual([]);
});

/** What was said to a room waited for 5 s while the fault lasted; then the room told it, and 6 s later its end. */
function typingHeldBackIn(room: string): string[] {
  const story = new Story();
  story.come("ann");
  story.come("bob");
  const place = { client: "bob", socket: BOB, room: ROOM, user: "user-ann" };
  story.fault({ name: "rooms_evicted", room, delays: true }, () => {
    story.write({ kind: "typed", client: "ann", room: ROOM, isTyping: true });
    story.pass(5_000);
  });
  story.write({ kind: "typing", ...place, isTyping: true });
  story.pass(6_000);
  story.write({ kind: "typing", ...place, isTyping: false });
  return check(story.end()).map(({ text }) => text);
}

it("typing that waited for its room is no violation, whatever its age; only there", () => {
  expect(typingHeldBackIn(ROOM)).toEqual([]);
  expect(typingHeldBackIn("another")).toEqual([expect.stringMatching(/^showed user-ann as typing 110\d\d ms/)]);
});

it.each<[string, (at: number) => NewEntry]>([
  ["somebody else did not read", (at) => ({ kind: "paused", client: "ann", socket: 1, until: at + 4_000 })],
  [
    "the reader did not read for 2 s of it",
    (at) => ({ kind: "paused", client: "bob", socket: BOB, until: at + 2_000 }),
  ],
  ["the rooms' process had no time for 1 s of it", () => ({ kind: "late", what: "rooms", ms: 1_000 })],
])("typing that is shown for 11 s is still one when %s", (_what, tell) => {
  expect(typingFor11Seconds(tell)).toHaveLength(1);
});
