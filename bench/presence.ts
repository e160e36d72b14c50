import { startBenchStack } from "./bench-stack.ts";
import { goal } from "./goal.ts";
import { median } from "./load.ts";
import { RoomClient, sleep } from "./room-client.ts";

const PEOPLE = 500;
const AT_ONCE = 50;
const ROUNDS = 3;
/** A rush is told of for four seconds after it at the latest. */
const SETTLE_MS = 6_000;

/** What it costs each of five hundred people to hear of the others who join with them. */
export async function benchPresence(): Promise<void> {
  const stack = await startBenchStack({});
  const frames: number[] = [];
  const bytes: number[] = [];
  try {
    const tokens = await stack.tokens(PEOPLE);
    for (let round = 1; round <= ROUNDS; round++) {
      const room = stack.roomUrl(crypto.randomUUID());
      const clients = tokens.map(() => new RoomClient());
      const startedAt = performance.now();
      for (let at = 0; at < PEOPLE; at += AT_ONCE)
        await Promise.all(clients.slice(at, at + AT_ONCE).map((client, n) => client.join(room, tokens[at + n] ?? "")));
      const tookMs = performance.now() - startedAt;
      await sleep(SETTLE_MS);
      frames.push(clients.reduce((sum, client) => sum + client.presenceFrames, 0) / PEOPLE);
      bytes.push(clients.reduce((sum, client) => sum + client.presenceBytes, 0) / PEOPLE);
      const most = Math.max(...clients.map((client) => client.presenceFrames));
      console.log(
        `round ${round}: ${PEOPLE} joined in ${(tookMs / 1_000).toFixed(1)} s; presence frames per person ${frames.at(-1)?.toFixed(2)} (at most ${most}), ${Math.round(bytes.at(-1) ?? 0)} bytes`,
      );
      for (const client of clients) client.leave();
    }
  } finally {
    await stack.stop();
  }
  goal("presence frames that each person received", median(frames), { atMost: 3 });
}
