import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_DIR } from "./project.ts";
import { StackError } from "./stack-error.ts";

/** What the page may talk to besides its own origin, and where Clerk's script comes from when people sign in with it. */
interface PageAccess {
  connect: readonly string[];
  clerk: string | undefined;
}

/** Builds the page and the docs into `outDir`, with that access; in a process of its own, so always anew. */
export async function buildPage(outDir: string, { connect, clerk }: PageAccess): Promise<void> {
  const access = [
    ...connect.flatMap((origin) => ["--connect", origin]),
    ...(clerk === undefined ? [] : ["--clerk", clerk]),
  ];
  const args = [join(PROJECT_DIR, "commands/build.ts"), "--assets", "--out", outDir, ...access];
  await promisify(execFile)(process.execPath, args, { cwd: PROJECT_DIR }).catch((cause: unknown) => {
    const output = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
    throw new StackError(`The page cannot be built: ${output.split("\n").at(-1)}; npm run build shows more`, { cause });
  });
}
