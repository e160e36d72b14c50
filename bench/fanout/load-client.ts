import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Order, Told } from "./load-process.ts";

type ToldOf<Kind extends Told["told"]> = Extract<Told, { told: Kind }>;

/** The process that makes the load, seen from the one that measures. */
export class LoadClient {
  readonly #process: ChildProcess = fork(join(import.meta.dirname, "load-process.ts"));
  #waiting: { told: Told["told"]; resolve: (told: never) => void; reject: (error: Error) => void } | undefined;

  constructor() {
    // The load process tells nothing but this.
    this.#process.on("message", (told: Told) => {
      const waiting = this.#waiting;
      if (told.told === "failed") waiting?.reject(new Error(told.message));
      else if (told.told === waiting?.told) waiting.resolve(told as never);
    });
  }

  order(order: Order): void {
    this.#process.send(order);
  }

  until<Kind extends Told["told"]>(told: Kind): Promise<ToldOf<Kind>> {
    return new Promise((resolve, reject) => (this.#waiting = { told, resolve, reject }));
  }

  async ask<Kind extends Told["told"]>(order: Order, told: Kind): Promise<ToldOf<Kind>> {
    const answer = this.until(told);
    this.order(order);
    return await answer;
  }

  stop(): void {
    this.#process.kill();
  }
}
