import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { splitLines } from "../../protocol/frames.ts";
import { ChatSocket } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

const MESSAGES = 3_000;
const STALLED = 10;
/** As long as a message may be in bytes: what is sent to the stalled readers altogether is an eighth of a gigabyte. */
const CONTENT = "😀".repeat(990);
const MIB = 1024 * 1024;
/** What is sent to all of them, unread, by the limits is 15 MiB; the rest is for what a busy room needs anyway. */
const GROWTH_MAX = 60 * MIB;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_MAX_MESSAGES: "100000", RATE_LIMIT_WINDOW_MS: "1000" });
});
afterAll(() => stack?.stop());

type Way = (room: string) => string;
const direct: Way = (room) => stack.roomUrl(room);
const gateway: Way = (room) => `${stack.wsUrl}?roomId=${room}`;

async function enter(way: Way, room: string, user: string): Promise<ChatSocket> {
  const socket = ChatSocket.withToken(way(room), await stack.token(user), true);
  await socket.next("room_joined");
  return socket;
}

async function countPresent(room: string): Promise<number> {
  const headers = { authorization: `Bearer ${await stack.token("author", "internal")}` };
  const answer = await fetch(`${stack.partyUrl}/parties/main/${room}/presence`, { headers });
  return ((await answer.json()) as { memberCount: number }).memberCount;
}

/** Says `received` as the protocol asks of a reader. */
function acknowledge(reader: ChatSocket, roomId: string): void {
  let unreported = 0;
  reader.socket.on("message", (data) => {
    const messages = splitLines(String(data)).filter((line) => line.startsWith('{"type":"message"'));
    unreported += messages.length;
    if (unreported < 32) return;
    unreported = 0;
    reader.say({ type: "received", roomId, seq: JSON.parse(messages.at(-1) ?? "").seq });
  });
}

/** Writes so many long messages, few of them unacked at a time. @returns the milliseconds each ack took, ascending. */
async function pour(author: ChatSocket, roomId: string, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let at = 0; at < count; at += 50) {
    const saidAt = performance.now();
    for (let one = 0; one < 50; one++)
      author.say({ type: "message", roomId, content: CONTENT, clientMessageId: crypto.randomUUID() });
    for (let one = 0; one < 50; one++) {
      await author.next("ack");
      took.push(performance.now() - saidAt);
    }
  }
  return took.toSorted((one, other) => one - other);
}

describe.each([
  { name: "on the room's own address", way: direct },
  { name: "through the gateway", way: gateway },
])("F18 readers that do not read, $name", ({ way }) => {
  it("cost neither the rooms nor the Worker more memory than the limits, and the others nothing", async () => {
    const room = `slow-${crypto.randomUUID()}`;
    const [author, reader] = [await enter(direct, room, "author"), await enter(way, room, "reader")];
    acknowledge(author, room);
    acknowledge(reader, room);
    const calm = await pour(author, room, 1_000);
    const stalled = await Promise.all(Array.from({ length: STALLED }, (_, at) => enter(way, room, `stalled-${at}`)));
    for (const { socket } of stalled) socket.pause();
    const [roomsBefore, workerBefore] = [await resident(stack.rooms.pid), await resident(stack.worker.pid)];
    const busy = await pour(author, room, MESSAGES);
    const growth = {
      rooms: (await resident(stack.rooms.pid)) - roomsBefore,
      worker: (await resident(stack.worker.pid)) - workerBefore,
    };
    expect(growth.rooms).toBeLessThan(GROWTH_MAX);
    expect(growth.worker).toBeLessThan(GROWTH_MAX);
    const last = 1_000 + MESSAGES;
    await reader.next("message", ({ seq }) => seq === last);
    expect(reader.all("message").map(({ seq }) => seq)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
    expect(median(busy)).toBeLessThan(2 * median(calm) + 50);

    // One that reads again before the half minute is over gets all of it; the others are sent away.
    const [late, ...lost] = stalled;
    if (late === undefined) throw new Error("Nobody stalled");
    acknowledge(late, room);
    late.socket.resume();
    await late.next("message", ({ seq }) => seq === last, 60_000);
    const first = late.all("room_joined")[0]?.seq ?? 0;
    expect(late.all("message").map(({ seq }) => seq)).toEqual(
      Array.from({ length: last - first }, (_, at) => first + at + 1),
    );
    await expect.poll(() => countPresent(room), { timeout: 60_000, interval: 1_000 }).toBe(3);
    for (const { socket } of lost) socket.resume();
    for (const one of lost) expect((await one.closing()).code).toBe(4002);
  });
});

/** What the runtimes of a process group have in memory. */
async function resident(group: number): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pgid=,rss=,comm="]);
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  const own = rows.filter(([pgid, , command]) => Number(pgid) === group && command?.endsWith("workerd"));
  expect(own.length).toBeGreaterThan(0);
  return own.reduce((sum, [, kibibytes]) => sum + Number(kibibytes) * 1_024, 0);
}

const median = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
