import type { Entry } from "../history/entries.ts";
import type { InvariantName } from "./check.ts";
import { beginStory, ROOM } from "./story.ts";

/** Each invariant with the least that breaks it, and nothing else. */
export const BAD_HISTORIES: Record<InvariantName, () => Entry[]> = {
  "acked messages are in history": () => {
    const story = beginStory();
    story.attempt("ann", "a-000002");
    story.ack("ann", "a-000002", { seq: 3, id: "m3" });
    return story.end();
  },
  "a message sent again is there once": () => {
    const story = beginStory();
    story.attempt("ann", "a-000002");
    const first = story.store("user-ann", "content of a-000002");
    const again = story.store("user-ann", "content of a-000002");
    story.ack("ann", "a-000002", first);
    for (const name of ["ann", "bob"]) story.deliver(name, first.n, again.n);
    return story.end();
  },
  "seq is 1..head, one content each": () => {
    const story = beginStory();
    story.stored.push({ n: -1, seq: 3, id: "hole", user: "", content: "" });
    const next = story.sayUnseen("ann", "a-000002");
    for (const name of ["ann", "bob"]) {
      const { socket } = story.socketOf(name);
      story.drop(name);
      story.sockets.set(name, { client: name, socket: socket + 10, joinedAt: story.at });
      story.write({ kind: "opened", client: name, socket: socket + 10 });
      story.write({ ...joined(name, socket + 10), seq: 4, messages: [next.n] });
    }
    // Nobody else notices: those who look came after the hole.
    const entries = story.end({
      http: story.stored.filter(({ n }) => n >= 0),
      postgres: story.stored.filter(({ n }) => n >= 0),
    });
    return entries.filter((entry) => entry.kind !== "saw" && !(entry.kind === "joined" && entry.seq < 4));
  },
  "acks of one message agree": () => {
    const story = beginStory();
    story.attempt("ann", "a-000001");
    story.ack("ann", "a-000001", { seq: 7, id: "m7" }, true);
    return story.end();
  },
  "history has what was just acked": () => {
    const story = beginStory();
    story.write({ kind: "page", client: "ann", room: ROOM, askedAt: story.at, limit: 50, fills: false, messages: [0] });
    return story.end();
  },
  "every history was read": () => {
    const entries = beginStory().end();
    return entries.filter((entry) => entry.kind !== "history" || entry.source !== "postgres");
  },
  "views are contiguous": () => {
    const story = beginStory();
    const lost = story.sayUnseen("ann", "a-000002");
    const next = story.sayUnseen("ann", "a-000003");
    story.deliver("ann", lost.n, next.n);
    // A fault has lost the frame, and the client has never looked for it.
    story.fault({ name: "frames_dropped", mangles: true }, () => story.deliver("bob", next.n));
    return story.end();
  },
  "views are equal 30 s after healing": () => {
    const story = beginStory();
    const last = story.sayUnseen("ann", "a-000002");
    story.deliver("ann", last.n);
    story.phase("faults");
    story.phase("healed");
    story.pass(31_000);
    story.deliver("bob", last.n);
    return story.end();
  },
  "streams have no gap and no repeat": () => {
    const story = beginStory();
    story.deliver("bob", 1);
    return story.end();
  },
  "resume is whole or says it is not": () => {
    const story = beginStory();
    story.drop("bob");
    story.write({ kind: "opened", client: "bob", socket: 9 });
    story.write({ ...joined("bob", 9), since: { epoch: "another", seq: 2 }, recovered: true, seq: 2, messages: [] });
    return story.end();
  },
  "slow readers are held back": () => {
    const story = beginStory();
    story.come("dee", "deaf");
    for (let at = 0; at < 80; at++) story.say("ann", `a-1000${at}`);
    return story.end();
  },
  "nothing refused is visible": () => {
    const story = beginStory();
    story.attempt("ann", "a-000002");
    story.refuse("ann", "a-000002");
    const message = story.store("user-ann", "content of a-000002");
    for (const name of ["ann", "bob"]) story.deliver(name, message.n);
    return story.end();
  },
  "nothing is visible that nobody sent": () => {
    const story = beginStory();
    const message = story.store("user-ann", "out of nowhere");
    for (const name of ["ann", "bob"]) story.deliver(name, message.n);
    return story.end();
  },
  "one socket's sends keep their order": () => {
    const story = beginStory();
    story.attempt("ann", "a-000002");
    story.attempt("ann", "a-000003");
    const [first, second] = [
      story.store("user-ann", "content of a-000003"),
      story.store("user-ann", "content of a-000002"),
    ];
    story.ack("ann", "a-000003", first);
    story.ack("ann", "a-000002", second);
    for (const name of ["ann", "bob"]) story.deliver(name, first.n, second.n);
    return story.end();
  },
  "presence equals the live sockets": () => {
    const story = beginStory();
    story.come("cat");
    story.drop("cat", true);
    story.pass(60_000);
    story.write({ kind: "presence_due" });
    return story.end();
  },
  "short reconnects are not seen": () => {
    const story = beginStory();
    story.drop("bob");
    story.tellGone("bob");
    story.open("bob", 2);
    return story.end();
  },
  "typing is never older than 6 s": () => {
    const story = beginStory();
    story.write({ kind: "typed", client: "ann", room: ROOM, isTyping: true });
    story.write({ kind: "typing", client: "bob", socket: 2, room: ROOM, user: "user-ann", isTyping: true });
    story.pass(9_000);
    return story.end();
  },
  "the outbox stays in its bounds": () => {
    const story = beginStory();
    for (let at = 0; at < 20; at++) story.say("ann", `a-2000${at}`);
    story.write({ kind: "rows", room: ROOM, after: 0, count: 2, first: 1, last: 2 });
    return story.end();
  },
  "the outbox drains in order": () => {
    const story = beginStory();
    story.say("ann", "a-000002");
    story.write({ kind: "rows", room: ROOM, after: 0, count: 2, first: 1, last: 3 });
    return story.end();
  },
  "the outbox drains": () => {
    const story = beginStory();
    return story.end({ postgres: story.stored.slice(0, 1) });
  },
  "other rooms' acks stay fast": () => {
    const story = beginStory();
    for (let at = 0; at < 50; at++) story.say("ann", `a-3000${at}`);
    story.phase("faults");
    story.fault({ name: "rooms_evicted", room: "another" }, () => {
      for (let at = 0; at < 150; at++) {
        const id = `a-4000${at}`;
        story.attempt("ann", id);
        const message = story.store("user-ann", `content of ${id}`);
        const place = { client: "ann", socket: 1, room: ROOM };
        story.write({
          kind: "ack",
          ...place,
          id,
          message: message.id,
          seq: message.seq,
          epoch: "one",
          duplicate: false,
          ms: 10 + at / 2,
        });
        for (const name of ["ann", "bob"]) story.deliver(name, message.n);
      }
    });
    story.phase("healed");
    return story.end();
  },
  "the rooms stay under their memory bound": () => {
    const story = beginStory();
    story.write({ kind: "memory", bytes: 1_001 });
    return story.end();
  },
  "no 5xx other than 503": () => {
    const story = beginStory();
    story.write({ kind: "request", route: "GET /v1/channels", status: 503, code: "storage_unavailable" });
    story.write({ kind: "request", route: "GET /v1/channels", status: 500, code: "internal" });
    return story.end();
  },
  "an app shows every message once": () => {
    const story = beginStory();
    const [first, second] = story.stored.map(({ n }) => n);
    story.shows("ann", [first ?? 0, second ?? 0, second ?? 0]);
    return story.end();
  },
  "no secret appears anywhere": () => {
    const story = beginStory();
    story.write({ kind: "leak", where: "a line of the rooms", secret: "a token" });
    return story.end();
  },
};

function joined(client: string, socket: number) {
  const room = { kind: "joined", client, socket, room: ROOM, epoch: "one", recovered: false } as const;
  return { ...room, online: ["user-ann", "user-bob"] };
}
