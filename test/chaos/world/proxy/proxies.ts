import type { Hop, SeenAnswer } from "../types.ts";
import { HopProxy } from "./hop-proxy.ts";
import { ActiveRule, type Aim, type Rule } from "./rules.ts";

/** How long what was held back is given to arrive, after a rule is lifted and before its hits are told. */
const SETTLE_MS = 300;

/** All proxies of a world, and the rules they go by. */
export class Proxies {
  readonly #proxies = new Map<Hop, HopProxy>();
  readonly #rules = new Map<number, ActiveRule>();
  #lastId = 0;

  /** @returns the address that leads to `target`. */
  async open(hop: Hop, target: string): Promise<string> {
    const { proxy, url } = await HopProxy.open(hop, target);
    this.#proxies.set(hop, proxy);
    return url;
  }

  /** Puts a rule into force. @returns its number */
  impose(rule: Rule): number {
    this.#rules.set(++this.#lastId, new ActiveRule(rule));
    this.#follow();
    return this.#lastId;
  }

  /** Ends a rule. @returns how often it has hit */
  async lift(id: number): Promise<number> {
    const active = this.#rules.get(id);
    if (active === undefined) return 0;
    this.#rules.delete(id);
    this.#follow();
    active.lift();
    if (active.rule.do === "stall") await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return active.hits;
  }

  /** Cuts WebSocket connections. @returns how many */
  cut(aim: Aim, how: "fin" | "rst"): number {
    return aim.hops.reduce((count, hop) => count + (this.#proxies.get(hop)?.cut(aim, how) ?? 0), 0);
  }

  /** How many WebSocket connections go through a hop. */
  sockets(hop: Hop): number {
    return this.#proxies.get(hop)?.sockets ?? 0;
  }

  answers(): SeenAnswer[] {
    return [...this.#proxies.values()].flatMap(({ answers }) => answers);
  }

  async close(): Promise<void> {
    for (const id of this.#rules.keys()) await this.lift(id);
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
  }

  #follow(): void {
    for (const proxy of this.#proxies.values()) proxy.follow([...this.#rules.values()]);
  }
}
