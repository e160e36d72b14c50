import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";

/** A program of the guides that uses the client, run as a process of its own. */
export class ExampleProgram {
  readonly #process: ChildProcess;
  readonly #folder: string;
  /** Everything it has written. */
  log = "";

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
    const add = (chunk: Buffer): void => void (this.log += chunk.toString());
    process.stdout?.on("data", add);
    process.stderr?.on("data", add);
  }

  /** @param source The program's text, or the file it is in */
  static async start(source: { text: string } | { file: string }, settings: Record<string, string>) {
    const folder = await mkdtemp(join(tmpdir(), "parley-example-"));
    const outfile = join(folder, "program.mjs");
    await build({
      ...("text" in source
        ? { stdin: { contents: source.text, loader: "ts", resolveDir: resolve(".") } }
        : { entryPoints: [source.file] }),
      alias: {
        parley: resolve("client/index.ts"),
        "@clerk/nextjs/server": resolve("test/support/backends/clerk.ts"),
      },
      bundle: true,
      format: "esm",
      platform: "node",
      outfile,
      logLevel: "error",
    });
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...settings };
    return new ExampleProgram(spawn(process.execPath, [outfile], { env }), folder);
  }

  /** Resolves with its exit code. */
  async ended(): Promise<number | null> {
    if (this.#process.exitCode === null) await once(this.#process, "exit");
    return this.#process.exitCode;
  }

  /** Asks it to end, as a server's supervisor does. */
  async stop(): Promise<number | null> {
    this.#process.kill("SIGTERM");
    const code = await this.ended();
    await rm(this.#folder, { recursive: true, force: true });
    return code;
  }
}
