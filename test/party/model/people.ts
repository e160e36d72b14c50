import { ServerFrame, type ServerFrameOf } from "../../../protocol/frames.ts";
import { settle, World } from "../world.ts";
import type { Client } from "../client.ts";
import { nameOf, Truth, View } from "./truth.ts";
import { UnreliableStore } from "./unreliable-store.ts";

export const USERS = ["alice", "bob"] as const;
/** Longer than any run lasts, so that nobody is sent away for an old token. */
const LIFE_MS = 400 * 86_400_000;

interface Place {
  user: string;
  client: Client;
  view: View;
  read: number;
  /** Sent and not answered yet, oldest first. */
  waiting: { name: string; clientMessageId: string; content: string }[];
}

/** A room with people in it who write down everything they send and get. */
export class People {
  readonly truth = new Truth();
  readonly postgres = new UnreliableStore();
  readonly world = new World({ settings: { RATE_LIMIT_MAX_MESSAGES: 1_000_000 }, store: this.postgres.store });
  places: Place[] = [];
  epoch: string | undefined;

  async connect(user: string, sinceSeq: number | undefined): Promise<void> {
    const { epoch } = this;
    const since = sinceSeq === undefined || epoch === undefined ? undefined : { epoch, seq: sinceSeq };
    const options = { lifeMs: LIFE_MS, ...(since !== undefined && { since: `${since.epoch}.${since.seq}` }) };
    const client = await this.world.connect(user, options);
    this.places.push({ user, client, view: new View(this.truth, since), read: 0, waiting: [] });
    this.look();
  }

  async send(place: Place, clientMessageId: string, content: string): Promise<void> {
    const name = nameOf(place.user, clientMessageId);
    place.waiting.push({ name, clientMessageId, content });
    this.truth.sent(name, content);
    await place.client.say({ type: "message", content, clientMessageId });
    this.look();
  }

  /** Many messages without client ids. */
  async fill(place: Place, count: number): Promise<void> {
    const { connection } = place.client;
    for (let n = 0; n < count; n++)
      void this.world.room.message(connection, `{"type":"message","content":"filling ${n}"}`);
    await settle();
    this.look();
  }

  /** Reads what everybody was sent since the last look. */
  look(): void {
    for (const place of this.places) this.#read(place);
    for (const place of this.places.filter(({ client }) => client.closed !== undefined)) this.forget(place);
  }

  /** The socket is gone: what it has not heard of it will never hear of. */
  forget(place: Place): void {
    this.places = this.places.filter((other) => other !== place);
    for (const { name, content } of place.waiting) this.truth.lost(name, content);
  }

  /** Everybody who is here says something, so that nobody is taken for dead. */
  async breathe(): Promise<void> {
    for (const { client } of this.places) await client.say({ type: "ping" });
    this.look();
  }

  #read(place: Place): void {
    const texts = place.client.connection.received.slice(place.read).flatMap((text) => text.split("\n"));
    place.read = place.client.connection.received.length;
    for (const text of texts) {
      const frame = ServerFrame.parse(JSON.parse(text));
      place.view.take(frame);
      this.epoch = place.view.epoch ?? this.epoch;
      if (frame.type !== "ack" && frame.type !== "error") continue;
      if (frame.type === "error" && frame.code === "storage_unavailable") this.#unknown(place, frame);
      if (frame.clientMessageId === undefined) continue;
      const sent = place.waiting.shift();
      if (sent?.clientMessageId !== frame.clientMessageId) throw new Error(`${frame.clientMessageId} was not next`);
      if (frame.type === "ack") this.truth.ack(sent.name, sent.content, frame);
      else this.truth.refused(sent.name, sent.content, frame);
    }
  }

  /** The oldest message may be stored or not: its id could not be looked up, so no answer names it. */
  #unknown({ waiting }: Place, { clientMessageId }: ServerFrameOf<"error">): void {
    if (this.truth.historyAnswers || clientMessageId !== undefined) throw new Error("An id need not be left unknown");
    const sent = waiting.shift();
    if (sent !== undefined) this.truth.lost(sent.name, sent.content);
  }
}
