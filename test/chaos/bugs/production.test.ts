import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { PROJECT_DIR } from "../../../dev/project.ts";
import { BUGS } from "./bugs.ts";
import { patchPlugin, PATCH_MARK } from "./patch-plugin.ts";

/** What only a run with faults has: the mark of a patch, the clock that can be set, whatever is in test/. */
const MARKS = [PATCH_MARK, "chaos", "CHAOS_CLOCK_OFFSET_MS", "setClockOffset", "ShiftedDate", "ShiftedRoom"];
const ENTRIES = { rooms: "party/index.ts", people: "party/people.ts", worker: "functions/index.ts" };

/** A bundle with every name and comment that the source has. */
async function bundle(entry: string, plugins: Parameters<typeof patchPlugin>[0] = []): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: PROJECT_DIR,
    entryPoints: [entry],
    bundle: true,
    legalComments: "inline",
    format: "esm",
    target: "esnext",
    conditions: ["partykit", "workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    plugins: plugins.length === 0 ? [] : [patchPlugin(plugins)],
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

describe.each(Object.entries(ENTRIES))("the bundle of the %s", (_name, entry) => {
  let code = "";
  beforeAll(async () => {
    code = await bundle(entry);
  });

  it.each(MARKS)("has no trace of bugs and fault hooks: %s", (mark) => {
    expect(code.length).toBeGreaterThan(10_000);
    expect(code.toLowerCase()).not.toContain(mark.toLowerCase());
  });
});

it.each(BUGS.map((bug) => [bug.name, bug] as const))("a bundle with the bug %s has its mark", async (_name, bug) => {
  expect(await bundle(ENTRIES[bug.part], bug.patches)).toContain(PATCH_MARK);
});

it("the rooms' bundle with the chaos entry has its hooks", async () => {
  const code = await bundle("test/chaos/world/entries/rooms.ts");
  expect(MARKS.filter((mark) => !code.includes(mark))).toEqual([PATCH_MARK]);
});

it("the rooms never join an abort signal to another, which brings down their local runtime", async () => {
  expect(await bundle(ENTRIES.rooms)).not.toMatch(/AbortSignal\.any\(/);
});
