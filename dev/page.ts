import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_DIR } from "./project.ts";
import { StackError } from "./stack-error.ts";

/** Builds the page and the docs into `outDir`, allowed to talk to `origins`; in a process of its own, so always anew. */
export async function buildPage(outDir: string, origins: readonly string[]): Promise<void> {
  const connect = origins.flatMap((origin) => ["--connect", origin]);
  const args = [join(PROJECT_DIR, "commands/build.ts"), "--assets", "--out", outDir, ...connect];
  await promisify(execFile)(process.execPath, args, { cwd: PROJECT_DIR }).catch((cause: unknown) => {
    const output = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
    throw new StackError(`The page cannot be built: ${output.split("\n").at(-1)}; npm run build shows more`, { cause });
  });
}
