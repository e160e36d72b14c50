import type { Hop } from "../types.ts";
import type { Fault, Grounds } from "./injected.ts";

const HOUR_MS = 3_600_000;
const PROBE_MS = 300;
const AWAKE_AGAIN_MS = 3_000;
const DEPLOYED_MS = 20_000;
const POLL_MS = 50;
const INTO_ROOMS: readonly Hop[] = ["rooms", "gateway"];

/** `kill -9` of the rooms with all they run; healing starts them again on the same port and storage. */
export const roomsKilled: Fault = async (grounds) => {
  const { stack, entries, clock } = grounds;
  const hits = await socketsIntoRooms(grounds);
  await stack.rooms.kill();
  return async () => {
    await entries.deploy("rooms", clock.offsetMs); // a new process must not be in another time
    await stack.rooms.start();
    return { hits, what: "sockets lost with the process" };
  };
};

/** The rooms stand still, and go on as if no time had passed. */
export const roomsStopped: Fault = async (grounds) => {
  const { stack } = grounds;
  const hits = await socketsIntoRooms(grounds);
  stack.rooms.pause();
  const stillAnswers = await answers(stack.partyUrl, PROBE_MS);
  return async () => {
    stack.rooms.resume();
    return { hits: stillAnswers ? 0 : hits, what: "sockets stood still" };
  };
};

/**
 * The runtime puts a room to sleep that has heard nothing for ten seconds, and wakes it with what its sockets carry. So
 * nothing that clients send reaches these rooms until it is healed; what counts is what the rooms' log says afterwards.
 */
export const roomsEvicted: Fault = async ({ proxies, wakings }, { seed, rooms }) => {
  const before = wakings.count;
  const rule = await proxies.impose({ hops: INTO_ROOMS, rooms, share: 1, seed, do: "hang", directions: ["up"] });
  return async () => {
    await proxies.lift(rule);
    const concerned = () =>
      wakings.since(before).filter((roomId) => rooms === undefined || rooms.includes(roomId)).length;
    await until(() => concerned() > 0, AWAKE_AGAIN_MS);
    return { hits: concerned(), what: "rooms put to sleep with their sockets open, and woken" };
  };
};

/** New code in place of that which runs: `partykit dev` ends the old process and starts another. */
export const roomsRedeployed: Fault = async (grounds) => {
  const { stack, entries, clock } = grounds;
  const sockets = await socketsIntoRooms(grounds);
  const before = await stack.rooms.runtimePid();
  await entries.deploy("rooms", clock.offsetMs);
  let replaced = false;
  const isReplaced = async (): Promise<boolean> => {
    const now = await stack.rooms.runtimePid();
    return (replaced = now !== 0 && now !== before && (await answers(stack.partyUrl, PROBE_MS)));
  };
  await until(isReplaced, DEPLOYED_MS);
  return async () => ({ hits: replaced ? sockets : 0, what: "sockets that new code was deployed over" });
};

export const clockForward = clockJump(HOUR_MS);
export const clockBack = clockJump(-HOUR_MS);

/** The Worker's and the rooms' clock jumps, and jumps back when it is healed. */
function clockJump(ms: number): Fault {
  return async ({ clock }) => {
    await clock.set(clock.offsetMs + ms);
    return async () => {
      await clock.set(clock.offsetMs - ms);
      return { hits: clock.rooms, what: "rooms whose clock jumped, and jumped back" };
    };
  };
}

async function socketsIntoRooms({ proxies }: Grounds): Promise<number> {
  const counts = await Promise.all(INTO_ROOMS.map((hop) => proxies.sockets(hop)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function answers(url: string, patienceMs: number): Promise<boolean> {
  const reply = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(patienceMs) }).catch(() => undefined);
  return reply?.ok === true;
}

/** Waits until something is so, or that long. */
async function until(isSo: () => boolean | Promise<boolean>, patienceMs: number): Promise<void> {
  const end = performance.now() + patienceMs;
  while (performance.now() < end && !(await isSo())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
