import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Order, Told } from "./load-process.ts";

type ToldOf<Kind extends Told["told"]> = Extract<Told, { told: Kind }>;

/** The process that makes the load, seen from the one that measures. */
export class LoadClient {
  readonly #process: ChildProcess = fork(join(import.meta.dirname, "load-process.ts"));
  /** What was told while nobody waited for it: this process may be busy, and find two answers at once. */
  readonly #told: Told[] = [];
  #arrived: (() => void) | undefined;

  constructor() {
    // The load process tells nothing but this.
    this.#process.on("message", (told: Told) => this.#hear(told));
    this.#process.on("exit", () => this.#hear({ told: "failed", message: "The load process has ended" }));
  }

  /** The next thing it tells, which must be of this kind. */
  async next<Kind extends Told["told"]>(kind: Kind): Promise<ToldOf<Kind>> {
    while (this.#told.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    const told = this.#told.shift();
    if (told?.told === kind) return told as ToldOf<Kind>; // just compared
    throw new Error(told?.told === "failed" ? told.message : `The load process said ${told?.told} instead of ${kind}`);
  }

  async ask<Kind extends Told["told"]>(order: Order, kind: Kind): Promise<ToldOf<Kind>> {
    this.#process.send(order);
    return await this.next(kind);
  }

  stop(): void {
    this.#process.kill();
  }

  #hear(told: Told): void {
    this.#told.push(told);
    this.#arrived?.();
  }
}
