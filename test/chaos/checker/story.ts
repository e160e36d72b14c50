import type { Entry, EntryOf } from "../history/entries.ts";
import type { NewEntry } from "../history/recorder.ts";

export const ROOM = "room";

interface Socket {
  client: string;
  socket: number;
  joinedAt: number;
}

interface Stored {
  n: number;
  seq: number;
  id: string;
  user: string;
  content: string;
}

/**
 * Tells the history of a run that went well, step by step, in one room. What goes wrong in a test is told by leaving a
 * step out or by writing an entry of one's own. Time moves on by itself, 10 ms a step.
 */
export class Story {
  readonly entries: Entry[] = [];
  readonly stored: Stored[] = [];
  readonly sockets = new Map<string, Socket>();
  at = 0;
  #seen = 0;
  #sockets = 0;

  constructor() {
    this.write({
      kind: "run",
      seed: 1,
      startedAt: "2026-11-21T00:00:00.000Z",
      command: "none",
      bounds: { memoryBytes: 1_000, waiting: 10, unacknowledged: 5, fastAckMs: 50 },
    });
    this.write({ kind: "phase", phase: "calm" });
  }

  write(entry: NewEntry): void {
    this.at += 10;
    this.entries.push({ ...entry, at: entry.at ?? this.at });
  }

  pass(ms: number): void {
    this.at += ms;
  }

  /** A client of its own user, whose first socket joins. */
  come(client: string, role: EntryOf<"client">["role"] = "member"): void {
    this.write({ kind: "client", client, user: `user-${client}`, role });
    this.open(client);
  }

  /** A socket that joins, and is given what came after the last one's end. */
  open(client: string, since?: number): void {
    const socket = ++this.#sockets;
    this.write({ kind: "opened", client, socket });
    const users = [...this.sockets.keys()].map((name) => `user-${name}`);
    this.sockets.set(client, { client, socket, joinedAt: this.at });
    const missed = this.stored.filter(({ seq }) => seq > (since ?? 0));
    this.write({
      kind: "joined",
      client,
      socket,
      room: ROOM,
      epoch: "one",
      seq: this.stored.length,
      ...(since !== undefined && { since: { epoch: "one", seq: since } }),
      recovered: since !== undefined,
      messages: missed.map(({ n }) => n),
      online: [...users, `user-${client}`],
    });
    if (since === undefined)
      for (const other of this.others(client))
        this.write({ kind: "presence", ...placeOf(other), online: [`user-${client}`], offline: [] });
  }

  /** The client's socket breaks. */
  drop(client: string, wanted = false): void {
    const { socket } = this.socketOf(client);
    this.sockets.delete(client);
    this.write({ kind: "closed", client, socket, code: wanted ? 1000 : 1006, wanted });
  }

  /** The others are told that somebody is gone. */
  tellGone(client: string): void {
    for (const other of this.others(client))
      this.write({ kind: "presence", ...placeOf(other), online: [], offline: [`user-${client}`] });
  }

  attempt(client: string, id: string, content = `content of ${id}`): void {
    this.write({ kind: "send", ...placeOf(this.socketOf(client)), id, content });
  }

  refuse(client: string, id: string): void {
    this.write({ kind: "refusal", ...placeOf(this.socketOf(client)), id, code: "content_too_long" });
  }

  /** The room keeps a message. */
  store(user: string, content: string): Stored {
    const seq = this.stored.length + 1;
    const message = { n: this.#seen++, seq, id: `m${seq}`, user, content };
    this.stored.push(message);
    this.write({ kind: "message", room: ROOM, ...message });
    return message;
  }

  /** A message as somebody sees it who sees it differently. */
  seen(message: Omit<Stored, "n">): number {
    const n = this.#seen++;
    this.write({ kind: "message", room: ROOM, n, ...message });
    return n;
  }

  ack(client: string, id: string, { seq, id: message }: { seq: number; id: string }, duplicate = false): void {
    const place = placeOf(this.socketOf(client));
    this.write({ kind: "ack", ...place, id, message, seq, epoch: "one", duplicate, ms: 10 });
  }

  deliver(client: string, ...messages: number[]): void {
    this.write({ kind: "saw", ...placeOf(this.socketOf(client)), until: this.at + 10, messages });
  }

  /** What the client's app shows. */
  shows(client: string, messages: readonly number[], sending: readonly string[] = []): void {
    this.write({ kind: "shown", client, room: ROOM, messages: [...messages], sending: [...sending] });
  }

  /** A whole message: sent, kept, acked, and seen by everybody there. */
  say(client: string, id: string): Stored {
    const message = this.sayUnseen(client, id);
    for (const name of this.sockets.keys()) this.deliver(name, message.n);
    return message;
  }

  /** Sent, kept and acked, and not yet told to anybody. */
  sayUnseen(client: string, id: string): Stored {
    this.attempt(client, id);
    const message = this.store(`user-${client}`, `content of ${id}`);
    this.ack(client, id, message);
    return message;
  }

  phase(phase: EntryOf<"phase">["phase"]): void {
    this.write({ kind: "phase", phase });
  }

  fault(about: Partial<EntryOf<"fault">> & { name: string }, during: () => void): void {
    const fault = this.entries.length;
    const both = { kind: "fault", fault, mangles: false, delays: false, slowsAcks: true, ...about } as const;
    this.write({ ...both, phase: "begin" });
    during();
    this.write({ ...both, phase: "end", hadEffect: true });
  }

  /** Everything is healed, everybody sees the same, and what is kept is read. */
  end({
    http = this.stored,
    postgres = this.stored,
  }: { http?: readonly Stored[]; postgres?: readonly Stored[] } = {}): Entry[] {
    if (!this.entries.some(({ kind, ...entry }) => kind === "phase" && "phase" in entry && entry.phase === "healed")) {
      this.phase("faults");
      this.phase("healed");
    }
    this.phase("settled");
    this.write({ kind: "history", room: ROOM, source: "http", messages: http.map(({ n }) => n) });
    this.write({ kind: "history", room: ROOM, source: "postgres", messages: postgres.map(({ n }) => n) });
    this.phase("ended");
    return this.entries;
  }

  socketOf(client: string): Socket {
    const socket = this.sockets.get(client);
    if (socket === undefined) throw new Error(`${client} has no socket`);
    return socket;
  }

  others(client: string): Socket[] {
    return [...this.sockets.values()].filter((other) => other.client !== client);
  }
}

function placeOf({ client, socket }: Socket): { client: string; socket: number; room: string } {
  return { client, socket, room: ROOM };
}

/** Two people who have talked. */
export function beginStory(): Story {
  const story = new Story();
  story.come("ann");
  story.come("bob");
  story.say("ann", "a-000001");
  story.say("bob", "b-000001");
  return story;
}
