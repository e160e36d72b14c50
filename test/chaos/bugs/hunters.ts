import { LineTap } from "../run/line-tap.ts";
import type { ChaosWorld } from "../world/types.ts";
import { startWorld } from "../world/world.ts";
import { hunt, type Hunt, type Hunted } from "./hunt.ts";

/** As many worlds as are worth while: a hunt mostly waits for something to happen. */
const WORLDS = 2;

/** Goes through hunts one after the other in each of a few worlds. */
export class Hunters {
  readonly #worlds: readonly ChaosWorld[];
  readonly #results = new Map<Hunt, PromiseWithResolvers<Hunted>>();

  private constructor(worlds: readonly ChaosWorld[]) {
    this.#worlds = worlds;
  }

  /** Starts the worlds, and the hunts in their order. */
  static async start(hunts: readonly Hunt[]): Promise<Hunters> {
    const taps = Array.from({ length: WORLDS }, () => new LineTap());
    const worlds = await Promise.all(taps.map((lines, at) => startWorld({ seed: at + 1, onLine: lines.onLine })));
    const hunters = new Hunters(worlds);
    for (const one of hunts) hunters.#results.set(one, Promise.withResolvers());
    const left = [...hunts];
    for (const [at, world] of worlds.entries()) void hunters.#work(world, taps[at] ?? new LineTap(), left);
    return hunters;
  }

  /** What has come of a hunt. */
  async result(of: Hunt): Promise<Hunted> {
    const result = this.#results.get(of);
    if (result === undefined) throw new Error("Nobody was asked for this hunt");
    return await result.promise;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#worlds.map((world) => world.stop()));
  }

  async #work(world: ChaosWorld, lines: LineTap, left: Hunt[]): Promise<void> {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const result = this.#results.get(next);
      result?.promise.catch(() => undefined); // told to whoever asks for it
      try {
        result?.resolve(await hunt(world, lines, next));
      } catch (error) {
        result?.reject(error);
      }
    }
  }
}
