import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleWorker } from "../../../bench/workerd.ts";
import { PROJECT_DIR } from "../../../dev/project.ts";
import { bundleEntries, type Entries } from "./entries.ts";

let folder: string;
let entries: Entries;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-entries-"));
  entries = await bundleEntries(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const HOOKS = /chaos|clockOffset/i;

describe("what a chaos run can do to the code", () => {
  it.each(["rooms", "worker"] as const)("is in the entry made for it (%s)", async (part) => {
    expect(await readFile(entries.files[part], "utf8")).toMatch(HOOKS);
  });

  it.each(["party/index.ts", "party/people.ts", "functions/index.ts"])(
    "is not in what is deployed (%s)",
    async (file) => {
      expect(await bundleWorker(join(PROJECT_DIR, file))).not.toMatch(HOOKS);
    },
  );

  it("is new code each time, in the time that the clock shows", async () => {
    const before = await readFile(entries.files.rooms, "utf8");
    await entries.deploy("rooms", 3_600_000);
    const after = await readFile(entries.files.rooms, "utf8");
    expect(after).not.toBe(before);
    expect(after).toMatch(/= (?:36e5|3600000)/);
  });
});
