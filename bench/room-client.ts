import { Wire } from "./fanout/wire.ts";

interface Position {
  epoch: string;
  seq: number;
}

/** One client in a room, at the room's own address: it counts what comes and knows where it is in the order. */
export class RoomClient {
  position: Position = { epoch: "", seq: 0 };
  recovered: boolean | undefined;
  presenceFrames = 0;
  presenceBytes = 0;
  messages = 0;
  readonly ackMs: number[] = [];
  readonly #saidAt = new Map<string, number>();
  #wire: Wire | undefined;

  /** Joins, from where this client was if it has been here; resolves when it is in. */
  async join(url: string, token: string): Promise<void> {
    const joined = Promise.withResolvers<void>();
    const { epoch, seq } = this.position;
    const address = epoch === "" ? url : `${url}?since=${epoch}.${seq}`;
    const headers = { authorization: `Bearer ${token}`, "sec-websocket-protocol": "chat.v1.lines" };
    this.#wire = await Wire.open(address, headers, (buffer, start, end) => {
      for (const line of buffer.toString("utf8", start, end).split("\n")) this.#hear(line, joined.resolve);
    });
    await joined.promise;
  }

  get isGone(): boolean {
    return this.#wire?.closed !== undefined;
  }

  say(content: string): void {
    const clientMessageId = crypto.randomUUID();
    this.#saidAt.set(clientMessageId, performance.now());
    this.#wire?.send(JSON.stringify({ type: "message", content, clientMessageId }));
  }

  ping(): void {
    this.#wire?.send('{"type":"ping"}');
  }

  /** What was said and neither acked nor refused. */
  get unacked(): number {
    return this.#saidAt.size;
  }

  /** What comes from now on is left with the sender. */
  stopReading(): void {
    this.#wire?.pause();
  }

  leave(): void {
    this.#wire?.close();
  }

  #hear(line: string, joined: () => void): void {
    // What a server of ours sends, of which only this much is looked at.
    const frame = JSON.parse(line) as {
      type: string;
      seq: number;
      epoch: string;
      recovered: boolean;
      messages: unknown[];
    } & {
      clientMessageId: string;
    };
    if (frame.type.startsWith("presence")) {
      this.presenceFrames++;
      this.presenceBytes += line.length;
    } else if (frame.type === "room_joined") {
      this.position = { epoch: frame.epoch, seq: frame.seq };
      this.recovered = frame.recovered;
      this.messages += frame.messages.length;
      joined();
    } else if (frame.type === "message") {
      this.messages++;
      this.position.seq = frame.seq;
      if (frame.seq % 32 === 0) this.#wire?.send(`{"type":"received","seq":${frame.seq}}`);
    } else if (frame.type === "ack") this.#acked(frame.clientMessageId);
  }

  #acked(clientMessageId: string): void {
    const saidAt = this.#saidAt.get(clientMessageId);
    if (saidAt !== undefined) this.ackMs.push(performance.now() - saidAt);
    this.#saidAt.delete(clientMessageId);
  }
}

/** Lets time pass, in milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
