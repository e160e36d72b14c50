import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ChatClient } from "../../../client/chat-client.ts";
import type { ChatPlatform } from "../../../client/types.ts";
import { Seeded } from "../../chaos/run/seeded.ts";
import { ScriptedNetwork, type ScriptedSocket } from "./scripted-network.ts";
import { VirtualTime } from "./virtual-time.ts";

const CROWD = 1_000;
const BUCKET_MS = 100;
/** The first delay is uniform over this, so 50 clients fall into a bucket; by chance alone 80 do once in 60,000 times. */
const FIRST_DELAY_MS = 2_000;
const BUCKET_MAX = 80;
/** Time for whoever comes back to have opened, been welcomed and joined. */
const SETTLE_MS = 1_000;

type Tell = Parameters<ChatPlatform["watch"]>[0];

/** Everybody, on a network that lets everybody in. */
interface Crowd {
  network: ScriptedNetwork;
  clients: ChatClient[];
  /** What their devices say. */
  tells: Set<Tell>;
  tokenRequests: number[];
  /** Whether nobody gets through. */
  isDown: boolean;
}

let time: VirtualTime;
beforeEach(() => {
  time = new VirtualTime();
  time.install();
});
afterEach(() => time.remove());

async function gather(): Promise<Crowd> {
  const network = new ScriptedNetwork(() => ({ kind: crowd.isDown ? "unreachable" : "welcomed" }));
  const random = new Seeded(2026);
  const crowd: Crowd = { network, clients: [], tells: new Set(), tokenRequests: [], isDown: false };
  for (let at = 0; at < CROWD; at++) {
    const client = new ChatClient({
      apiUrl: "https://chat.example",
      getToken: async () => {
        crowd.tokenRequests.push(time.now);
        return { token: "rest", wsToken: `ws-${at}`, expiresIn: 86_400 };
      },
      platform: {
        WebSocket: network.WebSocket,
        fetch: async () => Response.json({ id: "lobby", readSeq: 0 }),
        random: random.fork().next,
        watch: (tell) => {
          crowd.tells.add(tell);
          return () => crowd.tells.delete(tell);
        },
      },
    });
    crowd.clients.push(client);
    client.join("lobby");
    void client.connect();
  }
  await time.pass(SETTLE_MS);
  expect(network.open).toHaveLength(CROWD);
  return crowd;
}

/** What a blow did to everybody: how long after it each opened its next socket. */
async function returnsAfter(crowd: Crowd, blow: () => void, forMs = 3_000): Promise<number[]> {
  const before = crowd.network.sockets.length;
  const at = time.now;
  blow();
  await time.pass(forMs);
  return crowd.network.sockets.slice(before).map(({ openedAt }) => openedAt - at);
}

function leave({ clients }: Crowd): void {
  for (const client of clients) client.disconnect();
}

function bucketsOf(delays: readonly number[]): number[] {
  const buckets = Array.from({ length: Math.ceil((Math.max(...delays) + 1) / BUCKET_MS) }, () => 0);
  for (const delay of delays)
    buckets[Math.floor(delay / BUCKET_MS)] = (buckets[Math.floor(delay / BUCKET_MS)] ?? 0) + 1;
  return buckets;
}

function draw(title: string, delays: readonly number[]): void {
  const lines = bucketsOf(delays).map((count, at) => {
    const from = String(at * BUCKET_MS).padStart(6);
    return `${from} ms ${"█".repeat(Math.ceil(count / 2)).padEnd(40)} ${count}`;
  });
  console.log([`${title}: ${delays.length} sockets opened`, ...lines].join("\n"));
}

function expectSpread(delays: readonly number[]): void {
  expect(delays).toHaveLength(CROWD);
  expect(Math.max(...bucketsOf(delays))).toBeLessThan(BUCKET_MAX);
  expect(Math.max(...delays)).toBeLessThanOrEqual(FIRST_DELAY_MS);
  // They use all of the time there is, and do not just come late.
  expect(Math.max(...delays)).toBeGreaterThan(FIRST_DELAY_MS * 0.95);
  expect(Math.min(...delays)).toBeLessThan(FIRST_DELAY_MS * 0.05);
}

const onEach = (crowd: Crowd, work: (socket: ScriptedSocket) => void): void => {
  for (const socket of crowd.network.open) work(socket);
};

describe("I13 1,000 clients at once", () => {
  it.each([
    ["cut without a word", 1006],
    ["told that the server restarts (4000)", 4000],
    ["told to come back (4003)", 4003],
  ])("that are %s come back spread over two seconds, each once, and ask for no new token", async (title, code) => {
    const crowd = await gather();
    const asked = crowd.tokenRequests.length;
    const delays = await returnsAfter(crowd, () => onEach(crowd, (socket) => socket.end(code)));
    draw(title, delays);
    expectSpread(delays);
    expect(crowd.network.open).toHaveLength(CROWD);
    expect(crowd.tokenRequests).toHaveLength(asked);
    leave(crowd);
  });

  it("whose tokens all end (4001) ask for new ones as spread out as they come back", async () => {
    const crowd = await gather();
    await time.pass(10_000);
    const [asked, at] = [crowd.tokenRequests.length, time.now];
    const delays = await returnsAfter(crowd, () => onEach(crowd, (socket) => socket.end(4001)));
    const requests = crowd.tokenRequests.slice(asked).map((time) => time - at);
    draw("token requests after 4001", requests);
    expectSpread(delays);
    expectSpread(requests);
    leave(crowd);
  });

  it("that get their network back (`online`) do not come back as one", async () => {
    const crowd = await gather();
    for (const tell of crowd.tells) tell("offline");
    onEach(crowd, (socket) => socket.end(1006));
    await time.pass(10_000);
    expect(crowd.network.open).toHaveLength(0);
    const delays = await returnsAfter(crowd, () => crowd.tells.forEach((tell) => tell("online")));
    draw("after `online`", delays);
    expectSpread(delays);
    leave(crowd);
  });

  it("that are away for long come back within half a minute of the server's return, without a wave", async () => {
    const crowd = await gather();
    crowd.isDown = true;
    onEach(crowd, (socket) => socket.end(1006));
    await time.pass(120_000);
    const tried = crowd.network.sockets.length;
    const delays = await returnsAfter(crowd, () => (crowd.isDown = false), 31_000);
    draw("after two minutes without a server", delays);
    expect(crowd.network.open).toHaveLength(CROWD);
    expect(Math.max(...delays)).toBeLessThanOrEqual(30_000);
    expect(Math.max(...bucketsOf(delays))).toBeLessThan(25);
    // Meanwhile nobody knocked more often than every couple of seconds.
    expect((tried - CROWD) / CROWD).toBeLessThan(16);
    leave(crowd);
  });
});
