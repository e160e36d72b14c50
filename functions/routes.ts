import type { Route } from "./route.ts";
import { create, history, list, read } from "./routes/channels.ts";
import { connectionTest, health, healthz, signIn } from "./routes/operations.ts";
import { roomPresence, userPresence } from "./routes/presence.ts";
import { socket } from "./routes/sockets.ts";
import { exchange, mint, status } from "./routes/tokens.ts";

/** Every route there is. The OpenAPI document is generated from this list. */
export const ROUTES: readonly Route[] = [
  exchange,
  status,
  mint,
  create,
  list,
  read,
  history,
  roomPresence,
  userPresence,
  healthz,
  health,
  connectionTest,
  signIn,
  socket,
];
