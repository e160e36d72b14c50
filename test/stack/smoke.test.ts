import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHECKS } from "../../commands/smoke/all-checks.ts";
import type { SmokeOptions } from "../../commands/smoke/options.ts";
import { type CheckResult, runChecks } from "../../commands/smoke/runner.ts";
import { type Stack, startStack } from "../support/stack.ts";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack?.stop();
});

async function smoke(means: Partial<SmokeOptions>): Promise<CheckResult[]> {
  const url = new URL(stack.apiUrl);
  const none = {
    partyUrl: undefined,
    sessionToken: undefined,
    apiKey: undefined,
    junitFile: undefined,
    jsonFile: undefined,
  };
  return runChecks(CHECKS, { url, room: "smoke-test", timeoutMs: 15_000, ...none, ...means }, () => undefined);
}

const namesOf = (results: CheckResult[], status: CheckResult["status"]) =>
  results.filter((result) => result.status === status).map(({ name }) => name);
const failures = (results: CheckResult[]) => results.filter(({ status }) => status === "failed");

describe("the smoke test of the real stack", () => {
  it("holds in every check with a session token, an API key and the rooms' address", async () => {
    const { apiKey, partyUrl } = stack;
    const results = await smoke({ apiKey, partyUrl: new URL(partyUrl), sessionToken: await stack.session("carol") });
    expect(failures(results)).toEqual([]);
    expect(namesOf(results, "passed")).toEqual(CHECKS.map(({ name }) => name));
  });

  it("holds with a session token alone", async () => {
    const results = await smoke({ sessionToken: await stack.session("dave") });
    expect(failures(results)).toEqual([]);
    expect(namesOf(results, "passed")).toContain("the second client receives it, once and as it was sent");
  });

  it("holds without any token, in what needs none", async () => {
    const results = await smoke({});
    expect(failures(results)).toEqual([]);
    expect(namesOf(results, "skipped")).toContain("a message is acked");
  });

  it("J08 fails at the exchange when the session token has expired", async () => {
    const now = Math.floor(Date.now() / 1_000);
    const claims = { iat: now - 120, exp: now - 60 };
    const results = await smoke({ sessionToken: await stack.session("erin", { claims }) });
    expect(failures(results)).toMatchObject([
      { name: "a session token is exchanged for chat tokens", came: expect.stringContaining("token_expired") },
    ]);
  });

  it("fails at minting when the API key is another deployment's", async () => {
    const apiKey = `chatsdk_live_${"a".repeat(12)}_${"B3".repeat(21)}c`;
    const results = await smoke({ apiKey });
    expect(namesOf(results, "failed")).toContain("an API key mints tokens for two users");
    expect(JSON.stringify(results)).not.toContain(apiKey);
  });
});
