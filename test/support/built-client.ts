import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plugin } from "vitest/config";
import { buildClient } from "../../commands/build/client.ts";

/** Gives tests the built core where they import its sources: names are shortened there, and nothing may break by that. */
export function builtClient(): Plugin {
  let building: Promise<string> | undefined;
  return {
    name: "built-client",
    enforce: "pre",
    async resolveId(source) {
      if (!/\/client\/(?:chat-client|chat-error|kept|index)\.ts$/.test(source)) return undefined;
      building ??= buildInto(mkdtemp(join(tmpdir(), "parley-built-")));
      return building;
    },
  };
}

async function buildInto(folder: Promise<string>): Promise<string> {
  await buildClient(await folder);
  return join(await folder, "index.js");
}
