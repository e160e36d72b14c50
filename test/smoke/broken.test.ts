import { afterEach, describe, expect, it } from "vitest";
import { CHECKS } from "../../commands/smoke/all-checks.ts";
import { type CheckResult, runChecks } from "../../commands/smoke/runner.ts";
import { losing } from "./bends.ts";
import { BROKEN_DOORS } from "./broken-doors.ts";
import { BROKEN_ROOMS } from "./broken-rooms.ts";
import { API_KEY, type Bend, type Deployment, openDeployment } from "./deployment.ts";

const TIME_LIMIT_MS = 1_000;
let deployment: Deployment | undefined;

afterEach(async () => {
  await deployment?.close();
  deployment = undefined;
});

async function smoke(bend: Bend): Promise<CheckResult[]> {
  deployment = await openDeployment(bend);
  const url = new URL(deployment.url);
  const options = {
    url,
    partyUrl: url,
    room: "smoke-test",
    timeoutMs: TIME_LIMIT_MS,
    junitFile: undefined,
    jsonFile: undefined,
  };
  const tokens = { sessionToken: deployment.session("carol"), apiKey: API_KEY };
  return runChecks(CHECKS, { ...options, ...tokens }, () => undefined);
}

const failed = (results: CheckResult[]) => results.filter(({ status }) => status === "failed").map(({ name }) => name);

const BROKEN = [...BROKEN_DOORS, ...BROKEN_ROOMS];

describe("the smoke test of a broken deployment", () => {
  it.each(BROKEN)("fails when it %s", async (_, bend, expected) => {
    expect(failed(await smoke(bend))).toEqual(expected);
  });

  it("has a broken deployment for every check", () => {
    const covered = new Set(BROKEN.flatMap(([, , names]) => names));
    expect(CHECKS.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });

  it("ends when a deployment takes every question and answers none", async () => {
    const startedAt = performance.now();
    const results = await smoke({ http: () => new Promise(() => undefined) });
    expect(failed(results)).toEqual(["the service is alive"]);
    expect(results.filter(({ status }) => status === "skipped")).toHaveLength(CHECKS.length - 1);
    expect(performance.now() - startedAt).toBeLessThan(10 * TIME_LIMIT_MS);
  });

  it("tells what was expected, what came and where to look, for every failure", async () => {
    const [result] = (await smoke(losing("ack"))).filter(({ status }) => status === "failed");
    expect(result).toMatchObject({
      name: "a message is acked",
      expected: 'a "ack" frame that fits',
      came: expect.stringContaining("message"),
      hint: expect.stringContaining("rooms' log"),
    });
  });

  it("never repeats a secret that a deployment says back", async () => {
    const echo: Bend = {
      http: ({ headers, path }, reply) =>
        path === "/v1/token"
          ? { ...reply, status: 418, body: { echo: headers.authorization ?? "", key: API_KEY } }
          : reply,
    };
    const text = JSON.stringify(await smoke(echo));
    expect(text).toContain("[secret]");
    expect(text).not.toContain("eyJ");
    expect(text).not.toContain(API_KEY);
  });
});
