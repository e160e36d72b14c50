import type { Bug } from "./bugs.ts";

/** Mistakes in how a room stores, numbers and recognises messages. */
export const ORDER_BUGS: readonly Bug[] = [
  {
    name: "ack_before_storing",
    about: "An ack is sent at once, and the message is stored a little later",
    part: "rooms",
    scenario: "killed",
    breaks: ["acked messages are in history", "seq is 1..head, one content each", "acks of one message agree"],
    patches: [
      {
        file: "party/messages.ts",
        find: "this.#room.durable.keepOne(KEYS.event(event.seq), event);",
        replace:
          "this.#room.deps.after(400, () => this.#room.durable.keep({ [KEYS.head]: { seq: event.seq, at: event.at }, [KEYS.event(event.seq)]: event }));",
      },
      {
        file: "party/messages.ts",
        find: "this.#room.durable.keepOne(KEYS.head, this.#room.requireLife().head);",
        replace: "",
      },
    ],
  },
  {
    name: "no_dedup",
    about: "A message that is sent again is taken for a new one",
    part: "rooms",
    scenario: "restless",
    breaks: ["a message sent again is there once"],
    patches: [
      {
        file: "party/messages.ts",
        find: "const known = clientMessageId === undefined ? undefined : this.#recall.find(userId, clientMessageId);",
        replace: "const known = undefined;",
      },
    ],
  },
  {
    name: "dedup_without_the_user",
    about: "Two people who happen to choose the same id for a message are taken for one",
    part: "rooms",
    scenario: "restless",
    breaks: ["acked messages are in history"],
    patches: [
      {
        file: "domain/room/event-log.ts",
        find: "return `${userId}|${clientMessageId}`;",
        replace: "return `|${clientMessageId}`;",
      },
    ],
  },
  {
    name: "ids_filter_left_out",
    about: "An id that has left the room's log is taken for a new one, without a look at history",
    part: "rooms",
    scenario: "forgotten",
    breaks: ["a message sent again is there once"],
    patches: [{ file: "party/recall.ts", find: "!order.spent.mayHave(key) ||", replace: "true ||" }],
  },
  {
    name: "seq_from_memory",
    about: "The head is not read back from storage: after a restart the room counts on from what Postgres has",
    part: "rooms",
    scenario: "killed",
    breaks: ["seq is 1..head, one content each", "acked messages are in history"],
    patches: [
      {
        file: "party/kept.ts",
        find: "head: RoomHead.parse(values.get(KEYS.head) ?? { seq: 0, at: 0 }),",
        replace:
          "head: { seq: OutboxRecord.parse(values.get(KEYS.outbox) ?? { storedSeq: 0, failures: 0, nextTryAt: 0, failingMs: 0 }).storedSeq, at: 0 },",
      },
      {
        file: "party/order.ts",
        find: "readPages(storage, 0, Number.MAX_SAFE_INTEGER)",
        replace: "readPages(storage, 0, head.seq)",
      },
    ],
  },
  {
    name: "seq_from_the_clock",
    about: "Positions are made from the time",
    part: "rooms",
    scenario: "restless",
    breaks: ["seq is 1..head, one content each", "streams have no gap and no repeat"],
    patches: [
      {
        file: "domain/room/accept-message.ts",
        find: "const seq = rules.log.head + 1;",
        replace: "const seq = Math.max(rules.log.head + 1, Math.floor((now % 10_000_000) / 200));",
      },
      {
        file: "domain/room/event-log.ts",
        find: "if (event.seq !== this.head + 1) throw new Error(`Event ${event.seq} does not follow ${this.head}`);",
        replace: "while (this.head + 1 < event.seq) this.#entries.push({ at: event.at, key: undefined });",
      },
    ],
  },
  {
    name: "await_before_storing",
    about: "Something is waited for between receiving a message and storing it",
    part: "rooms",
    scenario: "restless",
    breaks: ["one socket's sends keep their order"],
    patches: [
      {
        file: "party/room.ts",
        find: `const work = this.#guard("message", () => this.#frames.take(session, message));`,
        replace: `const work = new Promise((done) => setTimeout(done, Math.random() * 400)).then(() => this.#guard("message", () => this.#frames.take(session, message)));`,
      },
    ],
  },
  {
    name: "stored_and_refused",
    about: "Some messages are stored, and then refused",
    part: "rooms",
    scenario: "restless",
    breaks: ["nothing refused is visible"],
    patches: [
      {
        file: "party/messages.ts",
        find: `import { KEYS } from "./kept.ts";`,
        replace: `import { KEYS } from "./kept.ts";\nimport { ChatError as Refusal } from "../protocol/errors.ts";`,
      },
      {
        file: "party/messages.ts",
        find: "const bytes = event === undefined ? 0 : this.#keep(event);",
        replace: `const bytes = event === undefined ? 0 : this.#keep(event);\n    if (event !== undefined && event.seq % 9 === 0) throw new Refusal("bad_content");`,
      },
    ],
  },
];
