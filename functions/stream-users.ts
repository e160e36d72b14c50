import * as z from "zod/mini";
import type { StreamClient } from "./stream-client.ts";

// What Stream returns when no limit is named, so no answer is cut; and ids of 128 characters still fit in an address.
const ASKED_AT_ONCE = 30;
const CREATED_AT_ONCE = 100;

const UsersAnswer = z.object({ users: z.array(z.object({ id: z.string() })) });

/**
 * Creates the users that Stream does not have yet. The others are not sent at all: Stream replaces the data of every user
 * it is sent, role and name included.
 *
 * @throws {ChatError} `bad_request` for ids that Stream does not take, `driver_unavailable`
 */
export async function createMissingUsers(client: StreamClient, ids: readonly string[]): Promise<void> {
  const wanted = new Set(ids);
  const answers = await Promise.all(inBatches([...wanted], ASKED_AT_ONCE).map((batch) => findUsers(client, batch)));
  for (const { id } of answers.flatMap(({ users }) => users)) wanted.delete(id);
  for (const batch of inBatches([...wanted], CREATED_AT_ONCE))
    await client.post(z.unknown(), "/users", { users: Object.fromEntries(batch.map((id) => [id, { id }])) });
}

function findUsers(client: StreamClient, ids: readonly string[]): Promise<z.infer<typeof UsersAnswer>> {
  return client.get(UsersAnswer, "/users", {
    filter_conditions: { id: { $in: ids } },
    limit: ASKED_AT_ONCE,
    presence: false,
    include_deactivated_users: true,
  });
}

function inBatches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
