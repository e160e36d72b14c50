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
      const [, name] = /\/client\/(chat-client|chat-error|http|kept|index)\.ts$/.exec(source) ?? [];
      if (name === undefined) return undefined;
      building ??= buildInto(mkdtemp(join(tmpdir(), "parley-built-")));
      return join(await building, name === "http" ? "http.js" : "index.js");
    },
  };
}

async function buildInto(folder: Promise<string>): Promise<string> {
  await buildClient(await folder);
  return folder;
}
