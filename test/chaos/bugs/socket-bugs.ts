import type { Bug } from "./bugs.ts";

/** Mistakes in what a room tells its sockets. */
export const SOCKET_BUGS: readonly Bug[] = [
  {
    name: "resume_ignores_the_epoch",
    about: "A position in another order is taken for one in this",
    part: "rooms",
    scenario: "restless",
    breaks: ["resume is whole or says it is not"],
    patches: [
      {
        file: "domain/room/event-log.ts",
        find: "if (since.epoch !== this.epoch || since.seq > this.head) return undefined;",
        replace: "if (since.seq > this.head) return undefined;",
      },
    ],
  },
  {
    name: "replay_with_a_hole",
    about: "A socket is told what it missed some time before it gets what is new",
    part: "rooms",
    scenario: "restless",
    breaks: ["streams have no gap and no repeat"],
    patches: [
      {
        file: "party/door.ts",
        find: "state.joined = true;",
        replace: "this.#room.deps.after(250, () => { state.joined = true; });",
      },
    ],
  },
  {
    name: "leave_and_join_on_each_reconnect",
    about: "Whoever reconnects is shown to everybody as gone and come",
    part: "rooms",
    scenario: "restless",
    breaks: ["short reconnects are not seen"],
    patches: [
      {
        file: "party/attendance.ts",
        find: "graceMs: number = TIMES.presenceGraceMs",
        replace: "graceMs: number = 0",
      },
    ],
  },
  {
    name: "unbounded_slow_reader",
    about: "A reader that acknowledges nothing is pushed to all the same",
    part: "rooms",
    scenario: "deaf",
    breaks: ["slow readers are held back"],
    patches: [
      {
        file: "party/readers.ts",
        find: "authors: forAuthor(text, event) }, this.#unread.floor)",
        replace: "authors: forAuthor(text, event) }, 0)",
      },
    ],
  },
  {
    name: "typing_never_expires",
    about: "Somebody who begins to type and goes away types for ever",
    part: "rooms",
    scenario: "forgetful",
    breaks: ["typing is never older than 6 s"],
    patches: [
      {
        file: "domain/room/typing.ts",
        find: "typist.until = now + TIMES.typingExpiresMs;",
        replace: "typist.until = now + 3_600_000;",
      },
    ],
  },
  {
    name: "identity_from_the_body",
    about: "A message says itself who wrote it",
    part: "rooms",
    scenario: "restless",
    breaks: ["nothing is visible that nobody sent"],
    patches: [
      {
        file: "protocol/frames.ts",
        find: `  type: z.literal("message"),
  roomId: z.optional(ChannelId),
  content: z.string(),`,
        replace: `  type: z.literal("message"),
  userId: z.optional(UserId),
  username: z.optional(z.string()),
  roomId: z.optional(ChannelId),
  content: z.string(),`,
      },
      {
        file: "party/messages.ts",
        find: "take(session: Session, { content, clientMessageId }: MessageFrame)",
        replace: "take(session: Session, { content, clientMessageId, ...claimed })",
      },
      {
        file: "party/messages.ts",
        find: "} = session.state;",
        replace: "} = { ...session.state, ...claimed };",
      },
    ],
  },
  {
    name: "token_in_the_log",
    about: "The token of whoever knocks is written to the log",
    part: "rooms",
    scenario: "restless",
    breaks: ["no secret appears anywhere"],
    patches: [
      {
        file: "party/admission.ts",
        find: `if (token === undefined) throw new ChatError("token_missing");`,
        replace: `if (token === undefined) throw new ChatError("token_missing");\n  console.log("knock", token);`,
      },
    ],
  },
  {
    name: "leaving_is_not_told",
    about: "Nobody is told of people who leave",
    part: "rooms",
    scenario: "forgetful",
    breaks: ["presence equals the live sockets"],
    patches: [
      {
        file: "party/attendance.ts",
        find: "for (const change of changes)",
        replace: `for (const change of changes.filter(({ status }) => status === "online"))`,
      },
    ],
  },
  {
    name: "memory_that_grows",
    about: "A room keeps a little of every message for ever, and it is not little",
    part: "rooms",
    scenario: "deaf",
    breaks: ["the rooms stay under their memory bound"],
    patches: [
      {
        file: "party/messages.ts",
        find: "const bytes = event === undefined ? 0 : this.#keep(event);",
        replace: `const bytes = event === undefined ? 0 : this.#keep(event);\n    (globalThis.kept ??= []).push(new Uint8Array(4_000_000).fill(1));`,
      },
    ],
  },
];
