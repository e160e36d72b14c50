import type { Socket } from "node:net";
import { Lane } from "./lane.ts";
import { type ActiveRule, isAimedAt, type Target } from "./rules.ts";

/** How long a server keeps a connection whose client went away without its knowing; then it is told. */
const HAUNTING_MS = 90_000;
/** What arrives within this time after reading goes on was waiting. */
const BACKLOG_MS = 250;

/** A WebSocket connection through the proxy, from the answered handshake on. */
export class SocketRelay {
  readonly target: Target;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #up: Lane;
  readonly #down: Lane;
  #rules: readonly ActiveRule[] = [];
  #stall: ActiveRule | undefined;
  #hauntingTimer: NodeJS.Timeout | undefined;

  constructor(target: Target, near: Socket, far: Socket, closed: () => void) {
    this.target = target;
    this.#near = near;
    this.#far = far;
    this.#up = new Lane(near, far, "up");
    this.#down = new Lane(far, near, "down");
    for (const [socket, lane] of [
      [near, this.#up],
      [far, this.#down],
    ] as const) {
      let failed = false;
      socket.setNoDelay(true);
      socket.on("error", () => {
        failed = true;
      });
      socket.on("end", () => lane.finish("fin"));
      socket.on("close", () => {
        lane.finish(failed ? "rst" : "fin");
        if (near.destroyed && far.destroyed) closed();
      });
    }
  }

  /** Goes by those of the rules that are about this connection. */
  follow(rules: readonly ActiveRule[]): void {
    const mine = rules.filter((active) => concerns(active, this.target));
    const lifted = this.#rules.find((active) => active.rule.do === "hang" && !mine.includes(active));
    this.#rules = mine;
    // A client that left during the hang may never be missed by the network: then its server has to notice by itself.
    if (lifted !== undefined && this.#up.isHaunted && lifted.tosses()) this.#haunt();
    else this.#up.follow(mine);
    this.#down.follow(mine);
    this.#followStall(mine.find(({ rule }) => rule.do === "stall"));
  }

  /** Ends both sides at once: with a reset, or as if each had left. */
  cut(how: "fin" | "rst"): void {
    clearTimeout(this.#hauntingTimer);
    for (const socket of [this.#near, this.#far])
      if (how === "rst") socket.resetAndDestroy();
      else socket.destroy();
  }

  #haunt(): void {
    this.#hauntingTimer = setTimeout(() => this.cut("rst"), HAUNTING_MS);
    this.#hauntingTimer.unref();
  }

  #followStall(stall: ActiveRule | undefined): void {
    const before = this.#stall;
    this.#stall = stall;
    if (stall !== undefined) return this.#down.wait("stall");
    if (before === undefined) return;
    const count = (): void => {
      before.hits++;
    };
    this.#far.once("data", count);
    setTimeout(() => this.#far.off("data", count), BACKLOG_MS);
    this.#down.go("stall");
  }
}

/** Deeds that hit single frames do not choose among connections. */
function concerns({ rule }: ActiveRule, target: Target): boolean {
  const hitsFrames = rule.do === "drop" || rule.do === "double" || rule.do === "swap";
  return isAimedAt(hitsFrames ? { ...rule, share: 1 } : rule, target);
}
