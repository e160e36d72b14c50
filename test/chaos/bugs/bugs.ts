import type { InvariantName } from "../checker/check.ts";
import { GATEWAY_BUGS } from "./gateway-bugs.ts";
import { ORDER_BUGS } from "./order-bugs.ts";
import { OUTBOX_BUGS } from "./outbox-bugs.ts";
import type { Patch } from "./patch-plugin.ts";
import { SOCKET_BUGS } from "./socket-bugs.ts";
import type { ScenarioName } from "./scenarios.ts";

/** A mistake that somebody could have made, as a small change of the product's source. */
export interface Bug {
  name: string;
  /** What is wrong, in a sentence. */
  about: string;
  part: "rooms" | "worker";
  patches: readonly Patch[];
  /** The run in which it shows. */
  scenario: ScenarioName;
  /** One of these at least must be found violated. */
  breaks: readonly InvariantName[];
}

export const BUGS: readonly Bug[] = [...ORDER_BUGS, ...OUTBOX_BUGS, ...SOCKET_BUGS, ...GATEWAY_BUGS];

/** @throws {Error} when there is none of that name. */
export function findBug(name: string): Bug {
  const bug = BUGS.find((candidate) => candidate.name === name);
  if (bug === undefined) throw new Error(`There is no bug "${name}"`);
  return bug;
}
