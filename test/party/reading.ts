import type { Client } from "./client.ts";
import type { World } from "./world.ts";

/** For a room in which much is said. */
export const settings = { RATE_LIMIT_MAX_MESSAGES: 100_000 };

/** Many messages in one waking: a room that is put to sleep sleeps before and after them. */
export async function pour(world: World, author: Client, count: number, content = "x".repeat(200)): Promise<void> {
  await author.say({ type: "typing", isTyping: false });
  for (let at = 0; at < count; at++)
    await world.room.message(author.connection, `{"type":"message","content":"${content}"}`);
  await world.advance(15);
}

/** What comes before the room has had its next turn. */
export function atOnce({ room }: World, { connection }: Client, count: number, content = "m"): void {
  const text = JSON.stringify({ type: "message", content });
  for (let at = 0; at < count; at++) void room.message(connection, text);
}

export const seqs = (client: Client) => client.all("message").map(({ seq }) => seq);
export const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

/** What a client does that says what it has received: every 32 messages here, and at the end. */
export async function readOn(client: Client, last: number): Promise<void> {
  for (let said = -1; said < last;) {
    const newest = seqs(client).at(-1) ?? 0;
    if (newest === said) throw new Error(`The reader is stuck at ${newest} of ${last}`);
    said = newest;
    await client.say({ type: "received", roomId: "lobby", seq: newest });
  }
}
