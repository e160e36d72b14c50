import type { TokenKeys } from "../../domain/chat-tokens.ts";
import type { Settings } from "../../domain/config.ts";
import type { Now } from "../../domain/ports.ts";
import type { AcceptedSocket } from "../../domain/sockets.ts";
import type { Subprotocol } from "../../protocol/frames.ts";
import type { Dial } from "./dial.ts";

/** What the gateway needs of the world. */
export interface GatewayDeps {
  settings: Settings;
  tokenKeys: TokenKeys;
  now: Now;
  random(): number;
  accept(subprotocol: Subprotocol | undefined): AcceptedSocket;
  dial: Dial;
}
