import type { Settings } from "../../domain/config.ts";
import type { Log } from "../../domain/log.ts";
import type { RefusedRequests } from "../../domain/refused-requests.ts";
import type { DoorDeps } from "../../domain/socket-door.ts";
import type { Dial } from "./dial.ts";

/** What the gateway needs of the world. */
export interface GatewayDeps extends DoorDeps {
  settings: Settings;
  dial: Dial;
  log: Log;
  refused: Pick<RefusedRequests, "note">;
  /** From 0 up to 1, like `Math.random`. */
  random: () => number;
}
