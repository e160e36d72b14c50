import { WebSocket } from "ws";
import type { ChaosWorld } from "./types.ts";

const SEND_MS = 100;
const READ_MS = 300;
const BACK_MS = 200;

interface Tokens {
  token: string;
  wsToken: string;
}

/** Somebody who writes all the time, reads history over HTTP, and comes back whenever the socket is gone. */
export class Chatter {
  readonly #url: string;
  readonly #history: string;
  readonly #tokens: Tokens;
  readonly #timers: NodeJS.Timeout[];
  #socket: WebSocket;
  #stopped = false;
  #ackedAt = 0;

  private constructor(url: string, history: string, tokens: Tokens) {
    this.#url = url;
    this.#history = history;
    this.#tokens = tokens;
    this.#socket = this.#open();
    this.#timers = [setInterval(() => this.#write(), SEND_MS), setInterval(() => void this.#read(), READ_MS)];
  }

  /** Signs in and begins, by the gateway or directly at the room. */
  static async start(world: ChaosWorld, user: string, door: "gateway" | "room"): Promise<Chatter> {
    const authorization = `Bearer ${await world.stack.session(user)}`;
    const reply = await fetch(`${world.apiUrl}/v1/token`, { method: "POST", headers: { authorization } });
    const tokens = (await reply.json()) as Tokens; // the documented answer
    const direct = `${world.partyUrl.replace(/^http/, "ws")}/parties/main/lobby`;
    const url = door === "gateway" ? `${world.wsUrl}?roomId=lobby` : direct;
    return new Chatter(url, `${world.apiUrl}/v1/channels/lobby/messages?limit=5`, tokens);
  }

  /** Resolves when something is acknowledged from now on. */
  async isHeard(patienceMs: number): Promise<void> {
    const since = performance.now();
    while (this.#ackedAt < since) {
      if (performance.now() - since > patienceMs) throw new Error(`Nothing was acknowledged for ${patienceMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, SEND_MS));
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#socket.terminate();
  }

  #open(): WebSocket {
    const socket = new WebSocket(this.#url, ["chat.v1", `chat.token.${this.#tokens.wsToken}`]);
    socket.on("error", () => undefined); // a close follows
    socket.on("message", (data) => {
      if (String(data).startsWith('{"type":"ack"')) this.#ackedAt = performance.now();
    });
    socket.on("close", () => {
      if (!this.#stopped) this.#timers.push(setTimeout(() => this.#reopen(), BACK_MS));
    });
    return socket;
  }

  #reopen(): void {
    if (!this.#stopped) this.#socket = this.#open();
  }

  #write(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const clientMessageId = `chatter-${crypto.randomUUID()}`;
    this.#socket.send(JSON.stringify({ type: "message", roomId: "lobby", content: "hello", clientMessageId }));
  }

  async #read(): Promise<void> {
    const headers = { authorization: `Bearer ${this.#tokens.token}` };
    const signal = AbortSignal.timeout(2_000);
    const reply = await fetch(this.#history, { headers, signal }).catch(() => undefined); // broken on purpose
    await reply?.body?.cancel().catch(() => undefined);
  }
}
