import type { ChaosHttp } from "../clients/http.ts";
import type { Actor } from "./cast.ts";
import type { Seeded } from "./seeded.ts";

const TICK_MS = 20;
/** With more than this unanswered a client waits, as people do. */
const WAITING_MAX = 48;
/** How much of what could not be said in time is made up for, in seconds. */
const DEBT_MAX_SECONDS = 0.5;

export interface TrafficOptions {
  /** Messages a second, of all together. */
  rate: number;
  /** How often, a second, something else is done. */
  habits?: Partial<Record<Habit, number>>;
  /** After this nobody begins to type any more. */
  typesForMs?: number;
}

/** A message as it was sent, to be sent again. */
interface Said {
  actor: Actor;
  room: string;
  id: string;
  content: string;
}

type Habit =
  | "type"
  /** Somebody who only listens leaves for good. */
  | "go"
  | "read"
  | "page"
  | "pause"
  | "reconnect"
  /** Joins as one who stopped reading in another order. */
  | "lie"
  /** Sends what must be refused. */
  | "offend"
  /** Two people send the same under the same id. */
  | "twin"
  /** Sends something again that was answered long ago. */
  | "again"
  /** Somebody new signs in. */
  | "exchange"
  | "probe";
const HABITS: Record<Habit, number> = {
  type: 2,
  go: 0.01,
  read: 2,
  page: 1,
  pause: 0.1,
  reconnect: 0.3,
  lie: 0.2,
  offend: 0.5,
  twin: 0.1,
  again: 0.5,
  exchange: 0.2,
  probe: 0.2,
};
/** Messages that may be sent again. */
const REMEMBERED = 2_000;
const PROBES = ["/healthz", "/api/chat/health", "/v1/channels?limit=5", "/api/chats/openapi.json"];

/** What everybody does, until `stop`: mostly sending, now and then everything else that clients do. */
export class Traffic {
  readonly #actors: readonly Actor[];
  readonly #http: ChaosHttp;
  readonly #random: Seeded;
  readonly #options: TrafficOptions;
  readonly #timer: NodeJS.Timeout;
  #last: number = performance.now();
  #owed = 0;
  #count = 0;
  #guests = 0;
  readonly #said: Said[] = [];
  readonly #startedAt: number = performance.now();

  constructor(actors: readonly Actor[], http: ChaosHttp, random: Seeded, options: TrafficOptions) {
    this.#actors = actors;
    this.#http = http;
    this.#random = random;
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    const seconds = (now - this.#last) / 1_000;
    this.#last = now;
    const { rate } = this.#options;
    this.#owed = Math.min(this.#owed + rate * seconds, Math.max(1, rate * DEBT_MAX_SECONDS));
    const talkers = this.#actors.filter(({ client, talks }) => talks > 0 && client.waiting < WAITING_MAX);
    for (; this.#owed >= 1 && talkers.length > 0; this.#owed -= 1) this.#say(talkers);
    for (const [habit, perSecond] of Object.entries({ ...HABITS, ...this.#options.habits }))
      if (this.#random.next() < perSecond * seconds) this.#do(habit as Habit); // the keys of that very object
  }

  #say(talkers: readonly Actor[]): void {
    let actor = this.#random.pick(talkers);
    if (this.#random.next() > actor.talks) actor = this.#random.pick(talkers);
    const content = this.#content(actor);
    this.#send({ actor, room: this.#random.pick(actor.rooms), id: this.#newId(actor), content });
  }

  #send(said: Said): void {
    const { actor, room, id, content } = said;
    actor.client.send(room, content, id);
    if (this.#said.length < REMEMBERED) this.#said.push(said);
    else this.#said[this.#random.below(REMEMBERED)] = said;
  }

  #newId({ client }: Actor): string {
    return `${client.options.name}-${String(++this.#count).padStart(8, "0")}`;
  }

  #content({ client }: Actor): string {
    return `${client.options.name} ${++this.#count} ${this.#random.hex(40 + this.#random.below(100))}`;
  }

  #do(habit: Habit): void {
    const actor = this.#random.pick(
      this.#actors.filter(({ client, isGone }) => client.options.role === "member" && !isGone),
    );
    const room = this.#random.pick(actor.rooms);
    const { client } = actor;
    switch (habit) {
      case "type":
        return this.#type(actor, room);
      case "go":
        return this.#go();
      case "read":
        return client.markRead(room);
      case "page":
        return void client.readPage(room, this.#range(client.headOf(room)));
      case "pause":
        return client.pause(1_000 + this.#random.below(4_000));
      case "reconnect":
        return client.reconnect();
      case "lie":
        return client.raw?.rejoinFrom(room, {
          epoch: "0123456789abcdef",
          seq: this.#random.below(client.headOf(room) + 1),
        });
      case "offend":
        return this.#offend();
      case "twin":
        return this.#twin(actor, room);
      case "again":
        if (this.#said.length > 0) this.#send(this.#random.pick(this.#said));
        return;
      case "exchange":
        return void this.#http.exchange(`guest-${++this.#guests}`);
      case "probe":
        return void this.#http.probe(this.#random.pick(PROBES));
    }
  }

  #type({ client }: Actor, room: string): void {
    const isOver = performance.now() - this.#startedAt > (this.#options.typesForMs ?? Infinity);
    if (!isOver) client.type(room, this.#options.typesForMs !== undefined || this.#random.next() < 0.7);
  }

  // Whoever is on the way back from a fault stays: nobody could tell whether they meant to go.
  #go(): void {
    const leaving = this.#actors.find(
      ({ client, rooms, talks, isGone }) =>
        talks === 0 && !isGone && client.options.role === "member" && rooms.every((room) => client.isIn(room)),
    );
    if (leaving === undefined) return;
    leaving.isGone = true;
    leaving.client.stop();
  }

  #twin(actor: Actor, room: string): void {
    const others = this.#actors.filter(
      ({ client, rooms, isGone }) => client.options.role === "member" && rooms.includes(room) && !isGone,
    );
    const [id, content] = [`twin-${this.#newId(actor)}`, this.#content(actor)];
    for (const one of new Set([actor, this.#random.pick(others)])) this.#send({ actor: one, room, id, content });
  }

  #range(head: number): { before?: number; after?: number; limit: number } {
    const limit = 1 + this.#random.below(100);
    const kind = this.#random.below(3);
    if (kind === 0 || head < 2) return { limit };
    if (kind === 1) return { after: Math.max(0, head - 1 - this.#random.below(60)), limit };
    return { before: 1 + this.#random.below(head), limit };
  }

  /** What must be refused, and then not be visible. */
  #offend(): void {
    const offenders = this.#actors.filter(({ client }) => client.options.role === "offender");
    if (offenders.length === 0) return;
    const actor = this.#random.pick(offenders);
    const room = this.#random.pick(actor.rooms);
    const { raw } = actor.client;
    const id = this.#newId(actor);
    const content = this.#content(actor);
    switch (this.#random.below(4)) {
      case 0:
        return raw?.sendRaw(room, { type: "message", clientMessageId: id, content: content.padEnd(1_001, "x") });
      case 1:
        return raw?.sendRaw(room, { type: "message", clientMessageId: id, content: `${content}\u0000` });
      case 2: {
        raw?.sendRaw(room, { type: "message", clientMessageId: id, content });
        return raw?.sendRaw(room, {
          type: "message",
          clientMessageId: id,
          content: `${content} again, and different`,
        });
      }
      default: {
        const { user } = this.#random.pick(this.#actors).client.options;
        return raw?.sendRaw(room, { type: "message", clientMessageId: id, content, userId: user, username: user });
      }
    }
  }
}
