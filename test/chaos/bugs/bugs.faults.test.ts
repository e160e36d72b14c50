import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LineTap } from "../run/line-tap.ts";
import type { ChaosWorld } from "../world/types.ts";
import { startWorld } from "../world/world.ts";
import { BUGS } from "./bugs.ts";
import { hunt } from "./hunt.ts";
import { SCENARIOS, type ScenarioName } from "./scenarios.ts";

const lines = new LineTap();
let world: ChaosWorld;

beforeAll(async () => {
  world = await startWorld({ seed: 1, onLine: lines.onLine });
});
afterAll(async () => {
  await world.stop();
});

const scenarios = Object.keys(SCENARIOS) as ScenarioName[]; // the keys of that very object

// Bugs of one scenario follow one another, so that the world is built anew as seldom as possible.
describe.each(scenarios)("the scenario %s", (scenario) => {
  it("finds nothing without a bug", async () => {
    const { verdicts, missing, troubles, idle } = await hunt(world, lines, scenario);
    expect(verdicts.flatMap(({ violations }) => violations)).toEqual([]);
    expect({ missing, troubles, idle }).toEqual({ missing: [], troubles: [], idle: [] });
  });

  it.each(BUGS.filter((bug) => bug.scenario === scenario).map((bug) => [bug.name, bug] as const))(
    "finds the bug %s",
    async (_name, bug) => {
      const { broken } = await hunt(world, lines, scenario, bug);
      expect(broken.filter((name) => bug.breaks.includes(name))).not.toEqual([]);
    },
  );
});
