import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry, EntryOf } from "../history/entries.ts";
import { check } from "./check.ts";
import { Story } from "./story.ts";

const PEOPLE = ["ann", "bob", "cat"] as const;

const Step = fc.record({
  what: fc.constantFrom("say", "lose_ack", "refuse", "reconnect", "type", "page"),
  who: fc.constantFrom(...PEOPLE),
});
const Run = fc.array(Step, { minLength: 1, maxLength: 40 });

/** A run in which everything is as it must be, whatever the people in it do. */
function tell(steps: readonly { what: string; who: string }[]): Story {
  const story = new Story();
  for (const name of PEOPLE) story.come(name);
  // Two messages at least, so that there is something to break.
  story.say("ann", "first-000001");
  story.say("bob", "first-000002");
  for (const [at, { what, who }] of steps.entries()) act(story, what, who, `id-${1_000_000 + at}`);
  return story;
}

function act(story: Story, what: string, who: string, id: string): void {
  const head = story.stored.length;
  const place = { client: who, room: "room" };
  if (what === "say") story.say(who, id);
  if (what === "refuse") {
    story.attempt(who, id);
    story.refuse(who, id);
  }
  if (what === "reconnect") {
    story.drop(who);
    story.open(who, head);
  }
  if (what === "lose_ack") {
    story.attempt(who, id);
    const message = story.store(`user-${who}`, `content of ${id}`);
    story.drop(who);
    for (const name of PEOPLE) if (name !== who) story.deliver(name, message.n);
    story.open(who, head);
    story.attempt(who, id);
    story.ack(who, id, message, true);
  }
  if (what === "type") {
    const { socket } = story.socketOf(who);
    story.write({ kind: "typed", ...place, isTyping: true });
    story.write({
      kind: "typing",
      ...place,
      client: "bob",
      socket: story.socketOf("bob").socket,
      user: `user-${who}`,
      isTyping: true,
    });
    story.write({ kind: "typing", ...place, socket, client: "bob", user: `user-${who}`, isTyping: false });
    story.write({
      kind: "typing",
      ...place,
      client: "bob",
      socket: story.socketOf("bob").socket,
      user: `user-${who}`,
      isTyping: false,
    });
  }
  if (what === "page")
    story.write({
      kind: "page",
      ...place,
      askedAt: story.at,
      limit: 50,
      fills: false,
      messages: story.stored.slice(-50).map(({ n }) => n),
    });
}

type Mutation = (entries: Entry[], pick: (most: number) => number) => void;

/** Each makes a lie of a true history, in a place chosen at random. */
const MUTATIONS: Record<string, Mutation> = {
  "a message is taken out of history": (entries, pick) => {
    const { messages } = historyOf(entries, "http");
    messages.splice(pick(messages.length), 1);
  },
  "a row is taken out of Postgres": (entries, pick) => {
    const { messages } = historyOf(entries, "postgres");
    messages.splice(pick(messages.length), 1);
  },
  "two messages of history change places": (entries, pick) => {
    const { messages } = historyOf(entries, "http");
    const at = pick(messages.length - 1);
    messages.splice(at, 2, messages[at + 1]!, messages[at]!);
  },
  "a message is in history twice": (entries, pick) => {
    const { messages } = historyOf(entries, "http");
    const at = pick(messages.length);
    messages.splice(at, 0, messages[at]!);
  },
  "a message gets another author": (entries, pick) => {
    choose(entries, "message", pick).user = "user-mallory";
  },
  "a message gets another content": (entries, pick) => {
    choose(entries, "message", pick).content = "never sent";
  },
  "an ack names another position": (entries, pick) => {
    choose(entries, "ack", pick).seq += 1;
  },
  "a delivery is lost": (entries) => {
    // Another one has to follow on the same socket, or nobody could know; and with this the client has it nowhere else.
    const { client, messages } = entries.find((entry): entry is EntryOf<"saw"> => entry.kind === "saw")!;
    const isLost = (entry: Entry) =>
      entry.kind === "saw" && entry.client === client && entry.messages[0] === messages[0];
    for (const entry of entries.filter(isLost)) entries.splice(entries.indexOf(entry), 1);
  },
  "a delivery comes twice": (entries, pick) => {
    const saw = choose(entries, "saw", pick);
    entries.splice(entries.indexOf(saw), 0, { ...saw });
  },
  "a client is gone at the end": (entries, pick) => {
    const { client, socket } = choose(entries, "opened", pick);
    const last = entries.findLast((entry) => entry.kind === "opened" && entry.client === client) as EntryOf<"opened">;
    const at = entries.findIndex((entry) => entry.kind === "phase" && entry.phase === "healed");
    entries.splice(at, 0, {
      kind: "closed",
      at: entries[at]!.at,
      client,
      socket: Math.max(last.socket, socket),
      code: 1006,
      wanted: false,
    });
  },
};

function historyOf(entries: readonly Entry[], source: "http" | "postgres"): EntryOf<"history"> {
  const found = entries.find((entry) => entry.kind === "history" && entry.source === source);
  if (found?.kind !== "history") throw new Error("There is no history");
  return found;
}

function choose<Kind extends Entry["kind"]>(
  entries: readonly Entry[],
  kind: Kind,
  pick: (most: number) => number,
): EntryOf<Kind> {
  const all = entries.filter((entry): entry is EntryOf<Kind> => entry.kind === kind);
  return all[pick(all.length)]!;
}

describe("the checker", () => {
  it("finds nothing in any run that went well", () => {
    fc.assert(
      fc.property(Run, (steps) => {
        expect(check(tell(steps).end())).toEqual([]);
      }),
    );
  });

  it.each(Object.entries(MUTATIONS))("finds it in any run when %s", (_name, mutate) => {
    fc.assert(
      fc.property(Run, fc.nat(), (steps, at) => {
        const entries = structuredClone(tell(steps).end());
        mutate(entries, (most) => at % most);
        expect(check(entries)).not.toEqual([]);
      }),
    );
  });

  it("judges 200,000 messages seen by six listeners in seconds of the processor's time", { timeout: 120_000 }, () => {
    const story = new Story();
    const people = ["one", "two", "three", "four", "five", "six"];
    for (const name of people) story.come(name);
    for (let at = 0; at < 200_000; at++) {
      const sender = people[at % people.length]!;
      story.attempt(sender, `id-${at}`);
      const message = story.store(`user-${sender}`, `content of id-${at}`);
      story.ack(sender, `id-${at}`, message);
      if (at % 20 === 19)
        for (const name of people)
          story.deliver(name, ...Array.from({ length: 20 }, (_, back) => message.n - 19 + back));
    }
    const entries = story.end();
    const before = process.threadCpuUsage();
    expect(check(entries)).toEqual([]);
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(15_000);
  });
});
