import { expect, it } from "vitest";
import { check } from "./check.ts";
import { ROOM, Story } from "./story.ts";

/** Three messages, the second during a fault that is about some of them; that one's row never comes to Postgres. */
function rowRefused({
  about,
  storedBefore = 0,
  lacks = 2,
}: {
  about: number;
  storedBefore?: number;
  lacks?: number;
}): string[] {
  const story = new Story();
  story.come("ann");
  const first = story.say("ann", "a-000001");
  story.write({ kind: "rows", room: ROOM, after: 0, count: storedBefore, first: 1, last: storedBefore });
  const during: ReturnType<typeof story.say>[] = [];
  const fault = story.entries.length;
  story.fault({ name: "postgres_refuses_rows" }, () => during.push(story.say("ann", "a-000002")));
  story.pass(5_000);
  const last = story.say("ann", "a-000003");
  const messages = [first, ...during, last].flatMap(({ n, seq }) => (seq === about ? [n] : []));
  story.write({ kind: "refused_rows", fault, messages });
  const postgres = story.stored.filter(({ seq }) => seq !== lacks);
  return check(story.end({ postgres })).map(({ text }) => text);
}

it("a row is excused that a fault has made Postgres refuse", () => {
  expect(rowRefused({ about: 2 })).toEqual([]);
});

it.each([
  ["came after the fault", { about: 3, lacks: 3 }],
  ["was in Postgres before the fault", { about: 1, storedBefore: 1, lacks: 1 }],
  ["the fault was not about", { about: 1, lacks: 2 }],
])("a row is not excused that %s", (_what, given) => {
  expect(rowRefused(given)).toEqual([`${given.lacks} did not reach Postgres`]);
});
