import { randomUUID } from "node:crypto";
import * as z from "zod/mini";
import { ServerFrame, splitLines } from "../../protocol/frames.ts";
import { parseJson } from "../../protocol/json.ts";

/** What one client saw: the raw material of the figures. */
export interface Log {
  /** By message id: where it is in the room's order, and how long its ack took. */
  acked: Map<string, { seq: number; ackMs: number }>;
  /** Message ids in the order they came, repeats included. */
  heard: string[];
  /** Codes of messages that were refused, which is no loss. */
  refused: Map<string, number>;
  /** Deliveries whose position was not above the one before. */
  outOfOrder: number;
}

/** One client in one room: sends when told and notes everything. It never reconnects, so a lost socket shows as loss. */
export class Talker {
  readonly roomId: string;
  readonly log: Log = { acked: new Map(), heard: [], refused: new Map(), outOfOrder: 0 };
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, number>();
  #lastSeq = 0;
  #unreported = 0;
  #sent = 0;
  #closeCode: number | undefined;
  #joined = Promise.withResolvers<void>();

  constructor(url: URL, wsToken: string, roomId: string) {
    this.roomId = roomId;
    const address = new URL(`/ws?roomId=${roomId}`, url);
    address.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(address, ["chat.v1.lines", `chat.token.${wsToken}`]);
    this.#socket.addEventListener("message", ({ data }) =>
      splitLines(String(data)).forEach((line) => this.#hear(line)),
    );
    this.#socket.addEventListener("error", () => undefined); // a close event follows
    this.#socket.addEventListener("close", ({ code }) => {
      this.#closeCode = code;
      this.#joined.reject(new Error(`A client could not join ${roomId}: closed with ${code}`));
    });
  }

  /** Settles once the room is joined. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Messages with neither an ack nor a refusal yet. */
  get unanswered(): number {
    return this.#waiting.size;
  }

  get closeCode(): number | undefined {
    return this.#closeCode;
  }

  say(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const clientMessageId = randomUUID();
    this.#sent += 1;
    this.#waiting.set(clientMessageId, performance.now());
    this.#send({ type: "message", roomId: this.roomId, content: `Load ${clientMessageId}`, clientMessageId });
  }

  close(): void {
    this.#socket.close();
  }

  #hear(line: string): void {
    const { data: frame } = z.safeParse(ServerFrame, parseJson(line));
    if (frame?.type === "room_joined") {
      this.#lastSeq = Math.max(this.#lastSeq, frame.seq);
      this.#joined.resolve();
    }
    if (frame?.type === "message") this.#note(frame.messageId, frame.seq);
    if (frame?.type === "ack")
      this.#answered(frame.clientMessageId, (ackMs) => this.log.acked.set(frame.messageId, { seq: frame.seq, ackMs }));
    if (frame?.type === "error")
      this.#answered(frame.clientMessageId, () =>
        this.log.refused.set(frame.code, (this.log.refused.get(frame.code) ?? 0) + 1),
      );
  }

  #note(messageId: string, seq: number): void {
    this.log.heard.push(messageId);
    if (seq <= this.#lastSeq) this.log.outOfOrder += 1;
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    // Rooms stop pushing to readers that do not say what they received.
    this.#unreported += 1;
    if (this.#unreported < 32) return;
    this.#unreported = 0;
    this.#send({ type: "received", roomId: this.roomId, seq: this.#lastSeq });
  }

  #answered(clientMessageId: string | undefined, note: (ackMs: number) => void): void {
    const sentAt = this.#waiting.get(clientMessageId ?? "");
    if (sentAt === undefined) return;
    this.#waiting.delete(clientMessageId ?? "");
    note(performance.now() - sentAt);
  }

  #send(frame: Record<string, unknown>): void {
    this.#socket.send(JSON.stringify(frame));
  }
}
