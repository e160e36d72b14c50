import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { SignJWT } from "jose";
import { freePort } from "./binaries.ts";

const EXAMPLES_DIR = join(import.meta.dirname, "../../docs/guides/examples");
const READY_MS = 30_000;

/** How one of the backend examples is started as a process of its own. */
export interface Recipe {
  /** Undefined when this machine has what it takes; else what is missing. */
  missing: string | undefined;
  command: (port: number) => [program: string, ...args: string[]];
}

export const EXPRESS: Recipe = {
  missing: undefined,
  command: () => [process.execPath, join(EXAMPLES_DIR, "express/server.ts")],
};

const PYTHON = ["python3", "/usr/bin/python3"].find(
  (program) => spawnSync(program, ["-c", "import fastapi, uvicorn, httpx, jwt"]).status === 0,
);
export const FASTAPI: Recipe = {
  missing: PYTHON === undefined ? "no python3 with fastapi, uvicorn, httpx and pyjwt" : undefined,
  command: (port) => {
    const app = ["main:app", "--app-dir", join(EXAMPLES_DIR, "fastapi"), "--port", String(port)];
    return [PYTHON ?? "python3", "-B", "-m", "uvicorn", ...app];
  },
};

const SESSION_SECRET = "a sign-in secret of the example's own, long enough";

/** A sign-in of the example's own app. */
export function signIn(claims: Record<string, unknown>, secret = SESSION_SECRET, life = "1h"): Promise<string> {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setIssuedAt().setExpirationTime(life);
  return jwt.sign(new TextEncoder().encode(secret));
}

/** One of the backend examples, running. */
export class ExampleBackend {
  readonly #process: ChildProcess;
  readonly #address: string;
  /** Everything it has written. */
  log = "";

  private constructor(process: ChildProcess, address: string) {
    this.#process = process;
    this.#address = address;
    const add = (chunk: Buffer): void => void (this.log += chunk.toString());
    process.stdout?.on("data", add);
    process.stderr?.on("data", add);
  }

  /** @param settings `CHATSDK_API_URL` and `CHATSDK_API_KEY`, as every backend example reads them */
  static async start(recipe: Recipe, settings: Record<string, string>): Promise<ExampleBackend> {
    const port = await freePort();
    const [program, ...args] = recipe.command(port);
    const own = { PATH: process.env["PATH"], HOME: process.env["HOME"], PORT: String(port) };
    const child = spawn(program, args, { env: { ...own, APP_SESSION_SECRET: SESSION_SECRET, ...settings } });
    const backend = new ExampleBackend(child, `http://127.0.0.1:${port}`);
    await backend.#answers();
    return backend;
  }

  post(path: string, { session, body }: { session?: string; body?: unknown } = {}): Promise<Response> {
    const headers = {
      "content-type": "application/json",
      ...(session !== undefined && { authorization: `Bearer ${session}` }),
    };
    return fetch(`${this.#address}${path}`, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }

  async #answers(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    while (Date.now() < deadline && this.#process.exitCode === null) {
      const reply = await fetch(this.#address).catch(() => undefined);
      if (reply !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.stop();
    throw new Error(`The example did not start:\n${this.log}`);
  }
}
