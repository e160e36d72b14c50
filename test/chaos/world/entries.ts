import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";

export type Part = "rooms" | "worker";

export interface Entries {
  files: Record<Part, string>;
  /** Builds a part anew and puts it where the old one was: `partykit dev` then restarts with it. */
  deploy(part: Part, clockOffsetMs: number): Promise<void>;
  /** From its next build on, a part has these changes instead of those before. */
  patch(part: Part, plugins: readonly Plugin[]): void;
}

const SOURCES: Record<Part, string> = {
  rooms: join(import.meta.dirname, "entries/rooms.ts"),
  worker: join(import.meta.dirname, "entries/worker.ts"),
};

/** Bundles the rooms and the Worker with a clock that can be set, into files of their own, with these changes. */
export async function bundleEntries(
  folder: string,
  patches: Partial<Record<Part, readonly Plugin[]>> = {},
): Promise<Entries> {
  const changes = { ...patches };
  const files = { rooms: join(folder, "rooms.js"), worker: join(folder, "worker.js") };
  let builds = 0;
  const deploy = async (part: Part, clockOffsetMs: number): Promise<void> => {
    const { outputFiles } = await build({
      entryPoints: [SOURCES[part]],
      bundle: true,
      format: "esm",
      target: "es2022",
      conditions: ["workerd", "worker", "browser"],
      external: ["cloudflare:*", "node:*"],
      define: { CHAOS_CLOCK_OFFSET_MS: String(clockOffsetMs) },
      footer: { js: `// build ${++builds}` },
      plugins: [...(changes[part] ?? [])],
      write: false,
      logLevel: "error",
    });
    await writeFile(files[part], outputFiles[0]?.contents ?? "");
  };
  await Promise.all([deploy("rooms", 0), deploy("worker", 0)]);
  const patch = (part: Part, plugins: readonly Plugin[]) => void (changes[part] = plugins);
  return { files, deploy, patch };
}
