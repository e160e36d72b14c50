import fc from "fast-check";
import { expect, it } from "vitest";
import { ChatClient } from "../../../client/chat-client.ts";
import type { ChatTokens } from "../../../client/types.ts";
import { Seeded } from "../../chaos/run/seeded.ts";
import { ScriptedNetwork, type SocketFate } from "./scripted-network.ts";
import { VirtualTime } from "./virtual-time.ts";

/** What asking for tokens comes to. */
type TokenAnswer =
  | { kind: "tokens"; expiresIn: number | undefined }
  | { kind: "fails"; status?: number; retryAfterMs?: number }
  | { kind: "unreachable" }
  | { kind: "hangs" }
  | { kind: "malformed"; value: unknown };

/** What happens to the device, and when. */
interface DeviceEvent {
  afterMs: number;
  event: "online" | "offline" | "visible" | "hidden";
}

interface World {
  answers: TokenAnswer[];
  fates: SocketFate[];
  device: DeviceEvent[];
  tokenMs: number;
  seed: number;
}

const LENGTH_MS = 6 * 60_000;
const MINUTE_MS = 60_000;
/** Full jitter from 2 s up to 30 s makes about eight attempts in a first bad minute; luck may double that. */
const REQUESTS_A_MINUTE = 24;

const answer: fc.Arbitrary<TokenAnswer> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("tokens"), expiresIn: fc.constantFrom(undefined, 60, 600, 86_400) }),
  },
  // Expired already, or so soon that refreshing it would be all that a client does.
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("tokens"), expiresIn: fc.constantFrom(-5, 0, 0.001, 1, 3, Number.NaN) }),
  },
  fc.record({
    kind: fc.constant("fails"),
    status: fc.constantFrom(500, 503, 429),
    retryAfterMs: fc.constantFrom(0, -1, 500, 20_000, 1e12),
  }),
  fc.record({ kind: fc.constant("fails"), status: fc.constantFrom(401, 403) }),
  fc.constant({ kind: "unreachable" }),
  fc.constant({ kind: "hangs" }),
  fc.record({
    kind: fc.constant("malformed"),
    value: fc.constantFrom(
      undefined,
      null,
      "token",
      7,
      {},
      { token: "t" },
      { token: "t", wsToken: 7 },
      { token: "t", wsToken: "" },
      { token: "t", wsToken: "not for a header\n" },
    ),
  }),
) as fc.Arbitrary<TokenAnswer>; // fast-check widens what the constants are

const fate: fc.Arbitrary<SocketFate> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: "welcomed" } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("refused" as const), code: fc.constantFrom(4500, 4001, 4502) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("cut" as const),
      afterMs: fc.integer({ min: 0, max: 90_000 }),
      code: fc.constantFrom(1006, 4000, 4001, 4003, 4005, 4500),
    }),
  },
  fc.constant({ kind: "unreachable" } as const),
  fc.constant({ kind: "hangs" } as const),
  fc.constant({ kind: "babbles" } as const),
);

const world: fc.Arbitrary<World> = fc.record({
  answers: fc.array(answer, { minLength: 1, maxLength: 6 }),
  fates: fc.array(fate, { minLength: 1, maxLength: 6 }),
  device: fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: MINUTE_MS }),
      event: fc.constantFrom("online", "offline", "visible", "hidden"),
    }),
    { maxLength: 4 },
  ),
  tokenMs: fc.constantFrom(0, 5, 400, 8_000),
  seed: fc.integer({ min: 0, max: 4_294_967_295 }),
});

it("no sequence of token answers and sockets makes the client loop, ask twice at once, or tell `unauthorized` twice", async () => {
  const seen = { stopped: 0, online: 0, requests: 0 };
  await fc.assert(
    fc.asyncProperty(world, async (script) => {
      const life = await live(script);
      expect(life.mostAtOnce).toBeLessThanOrEqual(1);
      expect(busiestMinute(life.requests)).toBeLessThanOrEqual(REQUESTS_A_MINUTE + script.device.length);
      expect(busiestMinute(life.sockets)).toBeLessThanOrEqual(REQUESTS_A_MINUTE + script.device.length);
      expect(life.unauthorized.length).toBe(life.state === "stopped" ? 1 : 0);
      // Told is told: nothing is tried after it.
      const over = life.unauthorized[0] ?? Infinity;
      expect([...life.requests, ...life.sockets].filter((at) => at > over)).toEqual([]);
      seen.requests += life.requests.length;
      if (life.state === "stopped") seen.stopped += 1;
      if (life.state === "online") seen.online += 1;
    }),
    { numRuns: 400 },
  );
  // Both ends were really reached.
  expect(seen.stopped).toBeGreaterThan(30);
  expect(seen.online).toBeGreaterThan(30);
  console.log(
    `400 lives of six minutes: ${seen.stopped} ended in a refusal, ${seen.online} online, ${seen.requests} token requests`,
  );
});

it.each([4500, 4502, 4001])(
  "a token fetched for the socket that closes with %i is final, and told once",
  async (code) => {
    const fates: SocketFate[] = [{ kind: "refused", code }];
    const life = await live({ answers: [{ kind: "tokens", expiresIn: 600 }], fates, device: [], tokenMs: 5, seed: 1 });
    expect(life).toMatchObject({ state: "stopped", unauthorized: [expect.any(Number)] });
    expect(life.requests).toHaveLength(1);
    expect(life.sockets).toHaveLength(1);
  },
);

it("a token that the server ends after hours is no reason to stop: a new one is fetched", async () => {
  const fates: SocketFate[] = [{ kind: "cut", afterMs: 300_000, code: 4001 }, { kind: "welcomed" }];
  const life = await live({
    answers: [{ kind: "tokens", expiresIn: undefined }],
    fates,
    device: [],
    tokenMs: 5,
    seed: 1,
  });
  expect(life).toMatchObject({ state: "online", unauthorized: [] });
  expect(life.requests).toHaveLength(2);
});

/** The times of everything that a client did in six minutes. */
async function live({ answers, fates, device, tokenMs, seed }: World) {
  const time = new VirtualTime();
  time.install();
  const requests: number[] = [];
  const unauthorized: number[] = [];
  let [atOnce, mostAtOnce] = [0, 0];
  const network = new ScriptedNetwork((_, number) => pick(fates, number));
  let tell: (event: DeviceEvent["event"]) => void = () => undefined;
  const client = new ChatClient({
    apiUrl: "https://chat.example",
    getToken: async ({ signal }) => {
      const step = pick(answers, requests.push(time.now) - 1);
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      try {
        return await give(step, tokenMs, signal);
      } finally {
        atOnce -= 1;
      }
    },
    platform: {
      WebSocket: network.WebSocket,
      fetch: () => Promise.reject(new TypeError("Failed to fetch")),
      random: new Seeded(seed).next,
      watch: (listener) => {
        tell = listener;
        return () => (tell = () => undefined);
      },
    },
  });
  client.on("unauthorized", () => unauthorized.push(time.now));
  client.connect().catch(() => undefined); // a refusal is what `unauthorized` tells
  for (const { afterMs, event } of device) {
    await time.pass(afterMs);
    tell(event);
  }
  await time.pass(LENGTH_MS - time.now);
  const state = client.connectionState;
  const sockets = network.sockets.map(({ openedAt }) => openedAt);
  client.disconnect();
  await time.pass(2 * MINUTE_MS); // the script's own timers are over by then
  expect(network.sockets).toHaveLength(sockets.length);
  expect(network.open).toEqual([]);
  expect(time.timers).toBe(0);
  time.remove();
  return { state, requests, sockets, unauthorized, mostAtOnce };
}

async function give(step: TokenAnswer, tokenMs: number, signal: AbortSignal): Promise<ChatTokens> {
  if (tokenMs > 0) await sleep(tokenMs, signal);
  switch (step.kind) {
    case "tokens":
      return { token: "rest", wsToken: "ws", ...(step.expiresIn !== undefined && { expiresIn: step.expiresIn }) };
    case "fails":
      throw Object.assign(new Error("Refused"), step);
    case "unreachable":
      throw new TypeError("Failed to fetch");
    case "hangs":
      return sleep(Infinity, signal);
    case "malformed":
      return step.value as ChatTokens; // what a backend may say whatever its types are
  }
}

/** Rejects as soon as nobody waits any more. */
function sleep(ms: number, signal: AbortSignal): Promise<never> {
  return new Promise((resolve, reject) => {
    const timer = ms === Infinity ? undefined : setTimeout(resolve as () => void, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("Aborted", "AbortError"));
    });
  });
}

function pick<One>(all: readonly One[], at: number): One {
  const one = all[at % all.length];
  if (one === undefined) throw new Error("There is nothing to pick from");
  return one;
}

/** The most of them within any minute. */
function busiestMinute(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + MINUTE_MS).length));
}
