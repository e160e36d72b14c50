import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { SignJWT } from "jose";
import type { Recipe } from "./backends/recipes.ts";
import { freePort } from "../../dev/free-port.ts";

const READY_MS = 30_000;

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
    const shell = { PATH: process.env["PATH"], HOME: process.env["HOME"] };
    const own = { PORT: String(port), APP_SESSION_SECRET: SESSION_SECRET, ...recipe.environment };
    const child = spawn(program, args, { env: { ...shell, ...own, ...settings } });
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
