import type { Bug } from "./bugs.ts";

const LOST = ["the outbox drains", "the outbox drains in order", "acked messages are in history"] as const;

/** Mistakes in how a room hands its messages over to Postgres. */
export const OUTBOX_BUGS: readonly Bug[] = [
  {
    name: "flush_from_memory",
    about: "A room that wakes hands over only what has come since",
    part: "rooms",
    scenario: "killed",
    breaks: LOST,
    patches: [
      {
        file: "party/outbox.ts",
        find: "this.#record = outbox;",
        replace: "this.#record = { ...outbox, storedSeq: head.seq };",
      },
    ],
  },
  {
    name: "drain_without_conflict_handling",
    about: "A row that is there already makes the batch fail, again and again",
    part: "rooms",
    scenario: "unkept",
    breaks: LOST,
    patches: [
      { file: "db/room-batch.ts", find: "const UNSTORABLE = /^2[23]/;", replace: "const UNSTORABLE = /^22/;" },
      {
        file: "db/room-batch.ts",
        find: "on conflict do nothing\n        returning seq, id",
        replace: "returning seq, id",
      },
    ],
  },
  {
    name: "drain_marked_before_commit",
    about: "A batch counts as kept before Postgres has said so",
    part: "rooms",
    scenario: "unkept",
    breaks: LOST,
    patches: [
      {
        file: "party/outbox.ts",
        find: `const refused = await this.#hand(batch, isOver);
    isOver.throwIfAborted();
    this.#advance(batch, due, refused);`,
        replace: "this.#advance(batch, due, []);\n    await this.#hand(batch, isOver);",
      },
    ],
  },
  {
    name: "two_drains_at_once",
    about: "A second batch is handed over while the first is still under way",
    part: "rooms",
    scenario: "deaf",
    breaks: ["the outbox drains in order"],
    patches: [
      {
        file: "party/outbox.ts",
        find: "if (this.#writing !== undefined) return this.#writing.since + STUCK_MS;",
        replace: "",
      },
      { file: "party/outbox.ts", find: "if (this.#writing !== undefined) {", replace: "if (Math.random() > 1) {" },
      {
        file: "party/outbox.ts",
        find: "const refused = await this.#hand(batch, isOver);\n    isOver.throwIfAborted();\n    this.#advance",
        replace:
          "this.#record = { ...this.#record, storedSeq: batch.events.at(-1)?.seq ?? this.#record.storedSeq, nextTryAt: this.#deps.now() + 300 };\n    const refused = await this.#hand(batch, isOver);\n    this.#advance",
      },
    ],
  },
  {
    name: "outbox_drops_its_oldest",
    about: "When much is waiting, what has waited longest is given up",
    part: "rooms",
    scenario: "unkept",
    breaks: LOST,
    patches: [
      {
        file: "party/outbox.ts",
        find: "this.#nextEvents(this.#record.storedSeq)",
        replace: "this.#nextEvents(Math.max(this.#record.storedSeq, this.#headSeq - 25))",
      },
    ],
  },
  {
    name: "backlog_without_a_bound",
    about: "However much is waiting for Postgres, a room takes more",
    part: "rooms",
    scenario: "brimful",
    breaks: ["the outbox stays in its bounds"],
    patches: [
      {
        file: "domain/room/accept-message.ts",
        find: "if (backlog.events >= BACKLOG_MAX_EVENTS || ",
        replace: "if (",
      },
    ],
  },
];
