import type { Route } from "./route.ts";
import * as bans from "./routes/bans.ts";
import { create, history, list, read } from "./routes/channels.ts";
import * as moderation from "./routes/moderation.ts";
import { connectionTest, health, healthz, signIn } from "./routes/operations.ts";
import { ban, revoke, unban } from "./routes/people.ts";
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
  bans.ban,
  bans.list,
  bans.lift,
  bans.add,
  bans.remove,
  revoke,
  ban,
  unban,
  moderation.readApp,
  moderation.saveApp,
  moderation.readChannel,
  moderation.saveChannel,
  moderation.audit,
  roomPresence,
  userPresence,
  healthz,
  health,
  connectionTest,
  signIn,
  socket,
];
