import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Figures } from "../../commands/load/figures.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "load-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function load(args: string[]) {
  const child = spawn(process.execPath, ["commands/load.ts", ...args], { env: { PATH: process.env["PATH"] } });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, out, err };
}

describe("npm run test:load", () => {
  it("starts a stack of its own, and finds that nothing acked is missing or doubled", async () => {
    const json = join(folder, "load.json");
    const { code, out } = await load([
      "--clients",
      "9",
      "--rooms",
      "3",
      "--rate",
      "30",
      "--seconds",
      "2",
      "--json",
      json,
    ]);
    const figures = JSON.parse(await readFile(json, "utf8")) as Figures;
    expect(figures).toMatchObject({ sent: 60, acked: 60, delivered: 180, missing: 0, duplicated: 0, notInHistory: 0 });
    expect(figures.ackMs.p50).toBeGreaterThan(0);
    expect(out).toContain("Nothing is missing, nothing is doubled");
    expect(code).toBe(0);
  });

  it("exits with 1 when it could not run", async () => {
    const { code, err } = await load(["--url", "http://127.0.0.1:9", "--api-key", "none"]);
    expect(err).toContain("The load test could not run");
    expect(code).toBe(1);
  });

  it.each([
    [["--clients", "none"], 'Cannot read --clients "none"'],
    [["--clients", "2", "--rooms", "3"], "more --rooms than --clients"],
    [["--rate", "0"], 'Cannot read --rate "0"'],
    [["--url", "somewhere", "--api-key", "k"], 'Cannot read --url "somewhere"'],
    [["--url", "http://127.0.0.1:9"], "--url needs --api-key"],
    [["--speed"], "--speed"],
  ])("refuses %j with exit code 2", async (args, message) => {
    const { code, err } = await load(args);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });

  it("explains itself", async () => {
    const { code, out } = await load(["--help"]);
    for (const option of ["--clients", "--rooms", "--rate", "--seconds", "--url", "Exit code"])
      expect(out).toContain(option);
    expect(code).toBe(0);
  });
});
