import type { Stack } from "../../support/stack.ts";
import { CLOCK_PATH } from "./entries/clock-path.ts";

type SessionOptions = Parameters<Stack["session"]>[1];

/** The clock that the Worker and the rooms go by, which is not this machine's once it has jumped. */
export class Clock {
  readonly #stack: Stack;
  offsetMs = 0;
  /** How many rooms heard of it when it was last set. */
  rooms = 0;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** Sets the Worker's and the rooms' clock. */
  async set(offsetMs: number): Promise<void> {
    this.offsetMs = offsetMs;
    const { apiUrl, partyUrl } = this.#stack;
    for (const url of [apiUrl, partyUrl]) {
      const reply = await fetch(`${url}${CLOCK_PATH}?offsetMs=${offsetMs}`, { method: "POST" });
      if (!reply.ok) throw new Error(`The clock of ${url} cannot be set: it answered ${reply.status}`);
      const { rooms = 0 } = (await reply.json()) as { rooms?: number }; // as the entries answer
      this.rooms = rooms;
    }
  }

  /** A session token of this clock's time. */
  async session(user: string, { ttlSeconds = 3_600, claims, ...options }: SessionOptions = {}): Promise<string> {
    const iat = Math.floor((Date.now() + this.offsetMs) / 1_000);
    return await this.#stack.session(user, { ...options, claims: { iat, exp: iat + ttlSeconds, ...claims } });
  }
}
