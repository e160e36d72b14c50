import { spawn } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { SaxesParser } from "saxes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { losing, onPaths, withFields } from "./bends.ts";
import { API_KEY, type Bend, type Deployment, openDeployment } from "./deployment.ts";

let deployment: Deployment | undefined;
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "smoke-"));
});
afterEach(async () => {
  await deployment?.close();
  deployment = undefined;
});

/** Runs the command as `npm run smoke` does, with nothing of this process's own settings. */
async function smoke(args: string[], env: Record<string, string> = {}) {
  const clean = { PATH: process.env["PATH"], ...env };
  const child = spawn(process.execPath, ["commands/smoke.ts", "--data", folder, ...args], { env: clean });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, out, err };
}

async function open(bend: Bend = {}): Promise<Deployment> {
  deployment = await openDeployment(bend);
  return deployment;
}

describe("npm run smoke", () => {
  it("holds against a deployment that keeps its word, with every argument", async () => {
    const { url, session } = await open();
    const { code, out } = await smoke([
      "--url",
      url,
      "--party-url",
      url,
      "--token",
      session("carol"),
      "--api-key",
      API_KEY,
    ]);
    expect(out).toMatch(/\d+ passed, 0 failed, 0 skipped in/);
    expect(code).toBe(0);
  });

  it("needs no key when it has a session token, and then uses one person twice", async () => {
    const { url, session } = await open();
    await writeFile(join(folder, "token"), `${session("carol")}\n`);
    const { code, out } = await smoke(["--url", url, "--token-file", join(folder, "token")]);
    expect(out).toMatch(/ok {4}the second client receives it/);
    expect(out).toMatch(/skip {2}the first sees the second type .*needs two users/);
    expect(code).toBe(0);
  });

  it("shows as skipped what needs a token, when there is none", async () => {
    const { url } = await open();
    const { code, out } = await smoke(["--url", url]);
    expect(out).toMatch(/ok {4}the service is alive/);
    expect(out).toMatch(/skip {2}a message is acked .*no chat token: give --token/);
    expect(code).toBe(0);
  });

  it.each(["fail", "a", "passed"])("fails with a key that is wrong, even when it is %j", async (key) => {
    const { url } = await open();
    const { code, out } = await smoke(["--url", url, "--api-key", key]);
    expect(out).toMatch(/[1-9]\d* passed, [1-9]\d* failed/);
    expect(code).toBe(1);
  });

  it.each(["CHATSDK_API_URL", "PUBLIC_URL"])(
    "takes the address from %s and the key from CHATSDK_API_KEY",
    async (name) => {
      const { url } = await open();
      const { code, out } = await smoke([], { [name]: url, CHATSDK_API_KEY: API_KEY });
      expect(out).toContain(`Parley smoke test of ${url}`);
      expect(out).toMatch(/ok {4}an API key mints tokens for two users/);
      expect(code).toBe(0);
    },
  );

  it("leaves rooms alone where the chat is at Stream", async () => {
    const { url } = await open(onPaths(["/v1/tokens", "/tokens"], withFields({ apiKey: "public" })));
    const { code, out } = await smoke(["--url", url, "--api-key", API_KEY]);
    expect(out).toMatch(/ok {4}an API key mints tokens for two users/);
    expect(out).toMatch(/skip {2}the channel is created, or is there .*chat is at Stream/);
    expect(out).toMatch(/ 0 failed/);
    expect(code).toBe(0);
  });

  it("says what was expected and what came, and exits with 1", async () => {
    const { url } = await open(losing("ack"));
    const { code, out } = await smoke(["--url", url, "--api-key", API_KEY, "--timeout", "500"]);
    expect(out).toMatch(/FAIL {2}a message is acked/);
    expect(out).toMatch(/expected {2}a "ack" frame/);
    expect(out).toMatch(/came {6}/);
    expect(out).toMatch(/hint {6}/);
    expect(code).toBe(1);
  });

  it("exits with 1 when nobody is there", async () => {
    const gone = await openDeployment();
    await gone.close();
    const { code, out } = await smoke(["--url", gone.url]);
    expect(out).toMatch(/FAIL {2}the service is alive/);
    expect(out).toContain("ECONNREFUSED");
    expect(code).toBe(1);
  });

  it("writes JUnit that is XML, and JSON, with the same results", async () => {
    const { url } = await open({
      http: ({ path }, reply) => (path === "/healthz" ? { ...reply, body: `<&"'\u0001]]>` } : reply),
    });
    const [junit, json] = [join(folder, "smoke.xml"), join(folder, "smoke.json")];
    const { code } = await smoke(["--url", url, "--junit", junit, "--json", json]);
    const xml = await readFile(junit, "utf8");
    const tags = readTags(xml);
    const report = JSON.parse(await readFile(json, "utf8")) as Report;
    const suite = tags.find(({ name }) => name === "testsuite")?.attributes;
    expect(suite).toMatchObject({
      tests: String(report.checks.length),
      failures: String(report.failed),
      skipped: String(report.skipped),
    });
    const cases = tags.filter(({ name }) => name === "testcase");
    expect(cases.map(({ attributes }) => attributes["name"])).toEqual(report.checks.map(({ name }) => name));
    expect(tags.find(({ name }) => name === "failure")?.attributes["message"]).toContain(`<&"'`);
    expect(code).toBe(1);
  });

  it("never prints a token or a key", async () => {
    const { url, session } = await open();
    const token = session("carol");
    const json = join(folder, "smoke.json");
    const { out, err } = await smoke(["--url", url, "--token", token, "--api-key", API_KEY, "--json", json]);
    const said = out + err + (await readFile(json, "utf8"));
    expect(said).not.toContain(API_KEY);
    expect(said).not.toContain("eyJ");
  });

  it("leaves behind one room, always the same", async () => {
    const { url, rooms } = await open();
    await smoke(["--url", url, "--api-key", API_KEY]);
    await smoke(["--url", url, "--api-key", API_KEY]);
    expect([...rooms.messages.keys()]).toEqual(["smoke-test"]);
  });

  it.each([
    [["--url", "ftp://example.com"], 'Cannot read --url "ftp://example.com"'],
    [["--url", "not a url"], 'Cannot read --url "not a url"'],
    [["--url", "http://h", "--room", "a b"], 'Cannot read --room "a b"'],
    [["--url", "http://h", "--room", "admin"], 'Cannot read --room "admin"'],
    [["--url", "http://h", "--timeout", "soon"], 'Cannot read --timeout "soon"'],
    [["--url", "http://h", "--token", "a", "--token-file", "b"], "not both"],
    [["--url", "http://h", "--token-file", "/nowhere"], 'Cannot read --token-file "/nowhere"'],
    [["--url"], "--url"],
    [["--speed", "9"], "--speed"],
    [[], "No deployment to check"],
  ])("refuses %j with exit code 2", async (args, message) => {
    const { code, err } = await smoke(args);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });

  it("exits with 2 when the report cannot be written", async () => {
    const { url } = await open();
    const { code, err } = await smoke(["--url", url, "--junit", join(folder, "no", "such", "folder.xml")]);
    expect(err).toContain("Cannot write the report");
    expect(code).toBe(2);
  });

  it("explains itself", async () => {
    const { code, out } = await smoke(["--help"]);
    for (const option of [
      "--url",
      "--party-url",
      "--token",
      "--token-file",
      "--api-key",
      "--junit",
      "--json",
      "Exit code",
    ])
      expect(out).toContain(option);
    expect(code).toBe(0);
  });
});

interface Report {
  failed: number;
  skipped: number;
  checks: { name: string }[];
}

/** Every tag in order. Throws for what is not well-formed XML. */
function readTags(xml: string): { name: string; attributes: Record<string, string> }[] {
  const tags: { name: string; attributes: Record<string, string> }[] = [];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => tags.push({ name, attributes }));
  parser.write(xml).close();
  return tags;
}
