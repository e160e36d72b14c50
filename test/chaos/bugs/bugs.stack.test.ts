import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatViolations } from "../report/report.ts";
import { BUGS } from "./bugs.ts";
import type { Hunt } from "./hunt.ts";
import { Hunters } from "./hunters.ts";
import { SCENARIOS, type ScenarioName } from "./scenarios.ts";

const scenarios = Object.keys(SCENARIOS) as ScenarioName[]; // the keys of that very object
const clean = scenarios.map((scenario): Hunt => ({ scenario }));
const buggy = BUGS.map((bug) => ({ scenario: bug.scenario, bug }));
/** Those of one scenario follow one another. */
const hunts = scenarios.flatMap((name) => [...clean, ...buggy].filter(({ scenario }) => scenario === name));

let hunters: Hunters | undefined;
const result = async (of: Hunt) => {
  if (hunters === undefined) throw new Error("The hunters have not started");
  return await hunters.result(of);
};

beforeAll(async () => {
  hunters = await Hunters.start(hunts);
});
afterAll(async () => {
  await hunters?.stop();
});

/** Three rounds, where the machine has other things to do as well. */
const TIME_LIMIT_MS = 240_000;

describe.each(scenarios)("the scenario %s", { timeout: TIME_LIMIT_MS }, (scenario) => {
  it.each(clean.filter((each) => each.scenario === scenario))("finds nothing without a bug", async (each) => {
    const { verdicts, missing, troubles, idle } = await result(each);
    const violated = formatViolations(verdicts);
    expect(violated, violated.join("\n")).toEqual([]);
    expect({ missing, troubles, idle }).toEqual({ missing: [], troubles: [], idle: [] });
  });

  it.each(buggy.filter((each) => each.scenario === scenario))("finds the bug $bug.name", async (each) => {
    const { broken } = await result(each);
    expect(broken.filter((name) => each.bug.breaks.includes(name))).not.toEqual([]);
  });
});
