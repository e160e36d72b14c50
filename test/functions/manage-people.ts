import { afterEach, beforeEach } from "vitest";
import { AppId, ChannelId, type UserId, UserId as UserIdSchema } from "../../protocol/ids.ts";
import { APP, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { bearer, jsonBody } from "../support/requests.ts";

/** How tests of bans, revocation and members call the routes, as users and as the app's server. */

export const ROOM = ChannelId.parse("plans");
export const carol = UserIdSchema.parse("carol");

export let memory: MemoryDeps;
let key: string;

/** Every test of a file begins with a deployment of its own, and a server that has a key. */
export function openDeploymentForEachTest(): void {
  beforeEach(async () => {
    memory = await createMemoryDeps();
    key = await memory.apiKey();
  });
  afterEach(() => memory.stop());
}

export const send = async (
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<Response> =>
  memory.app.request(path, { ...(body === undefined ? { headers } : jsonBody(body, headers)), method });
/** From now on the server is that of another app. */
export async function becomeAnotherApp(): Promise<void> {
  key = await memory.apiKey("live", AppId.parse("other"));
}

/** As the app's server. */
export const withKey = (method: string, path: string, body?: unknown) => send(method, path, { "x-api-key": key }, body);
/** As a user, by a chat token. */
export const as = async (user: UserId, method: string, path: string, body?: unknown) =>
  send(method, path, bearer(await memory.chatToken("rest", user)).headers, body);
/** What the audit log says was done about people and channels, oldest first. */
export const actions = async () =>
  (await memory.store.listAudit(APP, { limit: 50 }))
    .map(({ entry }) => [entry.action, entry.subject])
    .filter(([action]) => /^(user|ban|member|channel)\./.test(String(action)))
    .toReversed();
