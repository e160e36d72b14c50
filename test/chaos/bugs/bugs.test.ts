import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_DIR } from "../../../dev/project.ts";
import { BUGS } from "./bugs.ts";
import { applyPatch, type Patch } from "./patch-plugin.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

/** Applies patches one after the other, as a build would. */
async function patched(patches: readonly Patch[]): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for (const patch of patches) {
    const source = sources.get(patch.file) ?? (await readFile(join(PROJECT_DIR, patch.file), "utf8"));
    sources.set(patch.file, applyPatch(source, patch));
  }
  return sources;
}

describe("seeded bugs", () => {
  it("are at least 16, each with a name of its own", () => {
    expect(BUGS.length).toBeGreaterThanOrEqual(16);
    expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length);
  });

  it.each(BUGS.map((bug) => [bug.name, bug] as const))("%s fits the source", async (_name, { patches, scenario }) => {
    const { setup = [] }: Scenario = SCENARIOS[scenario];
    const sources = await patched([...setup, ...patches]);
    expect(sources.size).toBeGreaterThan(0);
  });
});
