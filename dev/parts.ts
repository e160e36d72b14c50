import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Child } from "./child.ts";
import { listen } from "./listen.ts";
import { StackError } from "./stack-error.ts";

const READY_TIME_LIMIT_MS = 60_000;
const POLL_MS = 100;
const LISTEN_CHECK_MS = 1_000;
const SILENCE_LIMIT_MS = 6_000;

/** One of the two programs that run beside this process. */
export interface Part {
  name: string;
  url: string;
  logFile: string;
  /** Settles when it has ended and nobody wanted that. */
  ended: Child["ended"];
  /** Somebody has taken it away on purpose. */
  isAway: boolean;
  /** What it does not compile for, while it waits for the code to change. */
  compileError: string | undefined;
}

/** Settles when a part ends that nobody stopped, with what to tell about it. */
export async function whenOneEnds(parts: readonly Part[]): Promise<StackError> {
  return await Promise.race(parts.map(whenEnded));
}

/** Settles when a part that has answered listens no more. */
export async function whenOneIsSilent(parts: readonly Part[]): Promise<StackError> {
  return await Promise.race(parts.map(whenSilent));
}

async function whenEnded({ name, ended, logFile }: Part): Promise<StackError> {
  const { code, lastLines } = await ended;
  const why = lastLines.findLast((line) => /error|failed|cannot/i.test(line)) ?? lastLines.at(-1) ?? "no output";
  const exit = code === null ? "was killed" : `ended with code ${code}`;
  return new StackError(`The ${name} process ${exit}: ${why.trim()}; start again with npm run dev, or see ${logFile}`);
}

/** PartyKit's program goes on when its runtime is gone. A reload takes a moment, so it is given some time. */
async function whenSilent(part: Part): Promise<StackError> {
  const { name, url, logFile } = part;
  return await new Promise((resolve) => {
    let heardAt = Date.now();
    const look = async () => {
      if (part.isAway || (await isListening(url))) heardAt = Date.now();
      if (Date.now() - heardAt < SILENCE_LIMIT_MS) return;
      const advice = `start again with npm run dev, or see ${logFile}`;
      resolve(new StackError(`The ${name} stopped listening at ${url}: ${advice}`));
    };
    const timer = setInterval(() => void look(), LISTEN_CHECK_MS);
    timer.unref();
    part.ended.then(() => clearInterval(timer)).catch(() => clearInterval(timer));
  });
}

/** Only connects: a request would stand in the part's log every second. */
async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** @throws {StackError} when a part ends meanwhile, or does not answer within a minute. */
export async function untilAllAnswer(parts: readonly Part[], broken: Promise<StackError>): Promise<void> {
  const giveUp = new AbortController();
  const failure = broken.then((error) => {
    giveUp.abort();
    throw error;
  });
  try {
    await Promise.race([failure, Promise.all(parts.map((part) => untilAnswers(part, giveUp.signal)))]);
  } finally {
    failure.catch(() => undefined); // whoever started the stack watches from here on
    giveUp.abort();
  }
}

async function untilAnswers(part: Part, signal: AbortSignal): Promise<void> {
  const { name, url, logFile } = part;
  const until = Date.now() + READY_TIME_LIMIT_MS;
  while (!signal.aborted) {
    const reply = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (reply?.ok === true) return;
    if (part.compileError !== undefined)
      throw new StackError(
        `The ${name} cannot be compiled: ${part.compileError}; correct that, all of it is in ${logFile}`,
      );
    if (Date.now() > until) throw new StackError(`The ${name} did not answer in a minute: see ${logFile}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** @throws {StackError} when somebody else has the port. */
export async function requireFreePort(port: number, option: string): Promise<void> {
  const server = createServer();
  try {
    await listen(server, port);
  } catch (cause) {
    const inUse = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
    const why = inUse ? "is in use" : "cannot be used";
    throw new StackError(`Port ${port} ${why}: stop what uses it, or choose another with ${option} N`, { cause });
  }
  server.close();
  await once(server, "close");
}
