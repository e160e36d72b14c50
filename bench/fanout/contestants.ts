import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeDataDir } from "../../dev/data-dir.ts";
import { startRooms } from "../../dev/rooms.ts";
import { startBenchStack } from "../bench-stack.ts";
import { groupCpuSeconds } from "../process-cpu.ts";
import { freePort, startNode, untilAnswers } from "../workerd.ts";
import type { DialectName } from "./dialect.ts";

/** A server that has a room, and how one gets into it. */
export interface Contestant {
  name: string;
  dialect: DialectName;
  /** The address of a room nobody has been in. */
  newRoom(): string;
  tokens(count: number): Promise<string[]>;
  /** Of all processes that serve the room, without what asks it. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** One room where everybody may say as much as they can. */
const SETTINGS = { RATE_LIMIT_MAX_MESSAGES: "100000", RATE_LIMIT_WINDOW_MS: "1000", ENABLE_LOGGING: "false" };
const noTokens = async (count: number) => Array.from({ length: count }, () => "");

/** Starts all of them; they run side by side and are asked one after the other. */
export async function startContestants(): Promise<Contestant[]> {
  const started: Contestant[] = [];
  try {
    for (const start of [startWs, startSocketIo, startBareParty, startParley]) started.push(...(await start()));
    return started;
  } catch (error) {
    for (const contestant of started) await contestant.stop();
    throw error;
  }
}

async function startWs(): Promise<Contestant[]> {
  const server = await startNode(join(import.meta.dirname, "ws-server.ts"), {});
  const newRoom = () => server.url.replace("http", "ws");
  return [{ name: "bare ws", dialect: "plain", newRoom, tokens: noTokens, ...server }];
}

async function startSocketIo(): Promise<Contestant[]> {
  const server = await startNode(join(import.meta.dirname, "socket-io-server.ts"), {});
  const newRoom = () => `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`;
  return [{ name: "Socket.IO", dialect: "socketIo", newRoom, tokens: noTokens, ...server }];
}

async function startBareParty(): Promise<Contestant[]> {
  const dataDir = await takeDataDir(await mkdtemp(join(tmpdir(), "parley-bench-")), { memory: true });
  const port = await freePort();
  const child = await startRooms({
    dataDir,
    port,
    settings: {},
    logFile: join(dataDir.path, "bare.log"),
    appendLog: false,
    entry: join(import.meta.dirname, "bare-party.ts"),
  });
  await untilAnswers(`http://127.0.0.1:${port}/`);
  const stop = async () => {
    await child.stop();
    await dataDir.release();
  };
  const newRoom = () => `ws://127.0.0.1:${port}/parties/main/${crypto.randomUUID()}`;
  const cpuSeconds = () => groupCpuSeconds(child.pid);
  return [{ name: "bare PartyKit room", dialect: "plain", newRoom, tokens: noTokens, cpuSeconds, stop }];
}

/** Parley's rooms, reached at their own door with a token each: once with a frame a message, once with lines. */
async function startParley(): Promise<Contestant[]> {
  const stack = await startBenchStack(SETTINGS);
  const shared = {
    newRoom: () => stack.roomUrl(crypto.randomUUID()),
    tokens: (count: number) => stack.tokens(count),
    cpuSeconds: () => groupCpuSeconds(stack.rooms.pid),
  };
  return [
    { name: "Parley, chat.v1", dialect: "parley", ...shared, stop: () => stack.stop() },
    { name: "Parley, chat.v1.lines", dialect: "parleyLines", ...shared, stop: async () => {} },
  ];
}
