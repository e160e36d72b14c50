import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeDataDir } from "../../dev/data-dir.ts";
import { startRooms } from "../../dev/rooms.ts";
import { type BenchStack, startBenchStack } from "../bench-stack.ts";
import { groupCpuSeconds } from "../process-cpu.ts";
import { type BenchServer, startNode, untilAnswers } from "../workerd.ts";
import { freePort } from "../../dev/free-port.ts";
import type { DialectName } from "./dialect.ts";
import { startPlainRooms } from "./plain-rooms.ts";

/** A server that has a room, and how one gets into it. */
export interface Contestant {
  name: string;
  dialect: DialectName;
  /** Whether it is also asked at a steady pace; as much as they can all of them are. */
  isPaced: boolean;
  /** The address of a room nobody has been in. */
  newRoom(): string;
  tokens(count: number): Promise<string[]>;
  /** Of all processes that serve the room, without what asks it. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** One room where everybody may say as much as they can. */
const SETTINGS = { RATE_LIMIT_MAX_MESSAGES: "100000", RATE_LIMIT_WINDOW_MS: "1000", ENABLE_LOGGING: "false" };
const BARE_ROOM = join(import.meta.dirname, "bare-party.ts");
const GATHERING_ROOM = join(import.meta.dirname, "gathering-party.ts");

/** What runs the rooms: the workerd of 2024 that `partykit dev` brings, or the current one. */
type Runtime = "partykit" | "workerd";
/** What is compared, as the report calls it. */
export const NAMES = {
  ws: "bare `ws`",
  socketIo: "Socket.IO",
  bare: { partykit: "bare PartyKit room", workerd: "bare PartyKit room, current workerd" },
  storing: "PartyKit room that stores and hands on",
  gathering: {
    partykit: "PartyKit room that only gathers lines",
    workerd: "PartyKit room that only gathers lines, current workerd",
  },
  single: { partykit: "Parley, `chat.v1`", workerd: "Parley, `chat.v1`, current workerd" },
  lines: { partykit: "Parley, `chat.v1.lines`", workerd: "Parley, `chat.v1.lines`, current workerd" },
} as const;
const noTokens = async (count: number) => Array.from({ length: count }, () => "");

/** Starts all of them; they run side by side and are asked one after the other. */
export async function startContestants(): Promise<Contestant[]> {
  const started: Contestant[] = [];
  try {
    for (const start of [
      startWs,
      startSocketIo,
      () => startBareParty(NAMES.bare.partykit, BARE_ROOM),
      () => startBareParty(NAMES.storing, join(import.meta.dirname, "storing-party.ts")),
      startPlainBareParty,
      startGatheringParties,
      startParley,
    ])
      started.push(...(await start()));
    return started;
  } catch (error) {
    for (const contestant of started) await contestant.stop();
    throw error;
  }
}

async function startWs(): Promise<Contestant[]> {
  const server = await startNode(join(import.meta.dirname, "ws-server.ts"), {});
  const newRoom = () => server.url.replace("http", "ws");
  return [{ name: NAMES.ws, dialect: "plain", isPaced: true, newRoom, tokens: noTokens, ...server }];
}

async function startSocketIo(): Promise<Contestant[]> {
  const server = await startNode(join(import.meta.dirname, "socket-io-server.ts"), {});
  const newRoom = () => `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`;
  return [{ name: NAMES.socketIo, dialect: "socketIo", isPaced: true, newRoom, tokens: noTokens, ...server }];
}

async function startBareParty(name: string, entry: string): Promise<Contestant[]> {
  const dataDir = await takeDataDir(await mkdtemp(join(tmpdir(), "parley-bench-")), { memory: true });
  const port = await freePort();
  const child = await startRooms({
    dataDir,
    port,
    settings: {},
    logFile: join(dataDir.path, "bare.log"),
    appendLog: false,
    entry,
  });
  await untilAnswers(`http://127.0.0.1:${port}/`);
  const stop = async () => {
    await child.stop();
    await dataDir.release();
  };
  const cpuSeconds = () => groupCpuSeconds(child.pid);
  return [bareRoom(name, { url: `http://127.0.0.1:${port}`, cpuSeconds, stop })];
}

async function startPlainBareParty(): Promise<Contestant[]> {
  return [{ ...bareRoom(NAMES.bare.workerd, await startPlainRooms(BARE_ROOM)), isPaced: false }];
}

/** The most that lines can reach in a runtime, whatever a room does with a message. */
async function startGatheringParties(): Promise<Contestant[]> {
  const local = await startBareParty(NAMES.gathering.partykit, GATHERING_ROOM);
  const plain = bareRoom(NAMES.gathering.workerd, await startPlainRooms(GATHERING_ROOM));
  return [...local, plain].map((one) => ({ ...one, dialect: "plainLines", isPaced: false }));
}

function bareRoom(name: string, server: BenchServer): Contestant {
  const newRoom = () => `${roomsUrl(server.url)}/${crypto.randomUUID()}`;
  return { name, dialect: "plain", isPaced: true, newRoom, tokens: noTokens, ...server };
}

/**
 * Parley's rooms, reached at their own door with a token each: with a frame a message and with lines, under `partykit dev`
 * and under a current workerd. History and presence boards are the same for both.
 */
async function startParley(): Promise<Contestant[]> {
  const stack = await startBenchStack(SETTINGS);
  const local = { url: stack.partyUrl, cpuSeconds: () => groupCpuSeconds(stack.rooms.pid) };
  const plain = await startPlainRooms(undefined, roomSettings(stack)).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  const stopAll = async () => {
    await plain.stop();
    await stack.stop();
  };
  const contestant = (kind: "single" | "lines", runtime: Runtime, { url, cpuSeconds }: Omit<BenchServer, "stop">) => ({
    name: NAMES[kind][runtime],
    dialect: kind === "lines" ? ("parleyLines" as const) : ("parley" as const),
    newRoom: () => `${roomsUrl(url)}/${crypto.randomUUID()}`,
    isPaced: runtime === "partykit",
    tokens: (count: number) => stack.tokens(count),
    cpuSeconds,
    stop: async () => {},
  });
  return [
    { ...contestant("single", "partykit", local), stop: stopAll },
    // One after the other in another process, so that each has the time to hand over to history what it was told.
    contestant("single", "workerd", plain),
    contestant("lines", "partykit", local),
    contestant("lines", "workerd", plain),
  ];
}

function roomSettings(stack: BenchStack): Record<string, string> {
  return {
    ...SETTINGS,
    ENVIRONMENT: "development",
    PUBLIC_URL: stack.apiUrl,
    PARTY_URL: stack.partyUrl,
    CHAT_JWT_SECRET: stack.chatJwtSecret,
    DATABASE_URL: stack.databaseUrl,
    NEON_FETCH_ENDPOINT: stack.neonFetchEndpoint,
    UPSTASH_REDIS_REST_URL: stack.redisRestUrl,
    UPSTASH_REDIS_REST_TOKEN: stack.redisRestToken,
  };
}

function roomsUrl(url: string): string {
  return `${url.replace("http", "ws")}/parties/main`;
}
