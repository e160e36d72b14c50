import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { runCommand } from "../support/run-command.ts";

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(await readFile("package.json", "utf8")));

/** Every npm script that runs a file of ours, with the arguments it always has. */
const commands = Object.entries(scripts).flatMap(([name, line]) => {
  const [, file, rest = ""] = /^node (?:-- )?(\S+\.ts)(?: (.*))?$/.exec(line) ?? [];
  return file === undefined ? [] : [[name, file, rest.split(" ").filter((arg) => arg !== "")] as const];
});

describe.each(commands)("npm run %s", (_name, file, given) => {
  it("prints help", async () => {
    const { code, stdout } = await runCommand(file, [...given, "--help"]);
    expect(stdout).toContain("Usage: npm ");
    expect(stdout).toContain("--help");
    expect(code).toBe(0);
  });

  it("refuses an option it does not know, says so, and does nothing", async () => {
    const { code, stderr, stdout } = await runCommand(file, [...given, "--such-an-option"]);
    expect(stderr).toMatch(/--help/);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe("");
    expect(code).not.toBe(0);
  });
});

describe("the scripts that earlier documents promise", () => {
  it.each(["build", "dev", "start:dev", "test", "test:coverage", "test:integration", "test:load"])(
    "S4-25 has %s",
    (name) => {
      expect(scripts).toHaveProperty(name);
    },
  );
});
