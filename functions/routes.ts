import type { Route } from "./route.ts";
import * as audit from "./routes/audit.ts";
import * as bans from "./routes/bans.ts";
import * as channels from "./routes/channels.ts";
import * as members from "./routes/members.ts";
import * as moderation from "./routes/moderation.ts";
import * as operations from "./routes/operations.ts";
import * as people from "./routes/people.ts";
import * as presence from "./routes/presence.ts";
import * as sockets from "./routes/sockets.ts";
import * as tokens from "./routes/tokens.ts";

/** Every route there is. The OpenAPI document is generated from this list. */
export const ROUTES: readonly Route[] = [
  tokens.exchange,
  tokens.status,
  tokens.mint,
  channels.create,
  channels.list,
  channels.read,
  channels.history,
  bans.set,
  bans.list,
  bans.lift,
  members.add,
  members.remove,
  people.revoke,
  people.ban,
  people.unban,
  moderation.readApp,
  moderation.saveApp,
  moderation.readChannel,
  moderation.saveChannel,
  audit.read,
  presence.ofRoom,
  presence.ofUser,
  operations.healthz,
  operations.health,
  operations.connectionTest,
  operations.signIn,
  sockets.open,
];
