import { describe, expect, it } from "vitest";
import { DeployError, type Plan, planDeployment } from "../../commands/deploy/plan.ts";
import { rehearse } from "../../commands/deploy/rehearsal.ts";
import { deployRooms, deployWorker, readNames } from "../../commands/deploy/tools.ts";
import { readConfig } from "../../domain/config.ts";
import { type CommandResult, runCommand } from "../support/run-command.ts";

const TOOL_TIME_LIMIT_MS = 120_000;
const NAMES = { worker: "parley", rooms: "parley-rooms" };
const SETTINGS = {
  ENVIRONMENT: "production",
  PUBLIC_URL: "https://chat.acme.io",
  PARTY_URL: "https://parley-rooms.acme.partykit.dev",
  APP_ID: "acme",
  CHAT_JWT_SECRET: "Zk3vQ8xN1rT6yB9uH4sL7wE2pC5mJ0aG8dF3kX6",
  DATABASE_URL: "postgres://parley:Wq7Lr2Tz9Vb4@ep-cool-1.neon.tech/parley",
  UPSTASH_REDIS_REST_URL: "https://eu1-fine-1.upstash.io",
  UPSTASH_REDIS_REST_TOKEN: "AXq9Rr3Ls8Bn2Vt6Yy1Kk5Pp4Ww7Hh0",
  CLERK_JWT_ISSUER: "https://clerk.acme.io",
  CLERK_AUTHORIZED_PARTIES: "https://app.acme.io",
  CLERK_SECRET_KEY: "sk_live_Qm8Xv3Nf7",
  CLOUDFLARE_WORKERS_SUBDOMAIN: "acme",
  CLOUDFLARE_API_TOKEN: "canary-of-the-account",
  PARTYKIT_LOGIN: "acme",
};

function plan(changes: Record<string, string | undefined> = {}, preview?: string): Plan {
  return planDeployment({ ...SETTINGS, ...changes }, NAMES, preview);
}

function deploy(args: string[]): Promise<CommandResult> {
  return runCommand("commands/deploy.ts", args, SETTINGS);
}

describe("planDeployment", () => {
  it("gives each half the settings it reads, and the Worker's secrets apart", () => {
    const { worker, rooms, apiUrl, partyUrl } = plan();
    expect({ apiUrl, partyUrl }).toEqual({ apiUrl: SETTINGS.PUBLIC_URL, partyUrl: SETTINGS.PARTY_URL });
    expect(worker.secrets).toMatchObject({
      CHAT_JWT_SECRET: SETTINGS.CHAT_JWT_SECRET,
      DATABASE_URL: SETTINGS.DATABASE_URL,
    });
    expect(worker.vars).not.toHaveProperty("CHAT_JWT_SECRET");
    expect(worker.vars).toMatchObject({ ENVIRONMENT: "production", CLERK_JWT_ISSUER: "https://clerk.acme.io" });
    expect(rooms).toMatchObject({ CHAT_JWT_SECRET: SETTINGS.CHAT_JWT_SECRET, PUBLIC_URL: SETTINGS.PUBLIC_URL });
    expect(rooms).not.toHaveProperty("CLERK_JWT_ISSUER");
  });

  it.each([
    ["native", {}],
    [
      "stream",
      { CHAT_DRIVER: "stream", STREAM_API_KEY: "b7kq2m9xw4tz", STREAM_API_SECRET: "h3kd8sn2mf7ql1xc9vb4zt6wy5rp0aje" },
    ],
  ])("gives each half what it needs to start, with the %s driver", (_driver, changes) => {
    const { worker, rooms } = plan(changes);
    expect(readConfig({ ...worker.vars, ...worker.secrets }).problems).toEqual([]);
    expect(readConfig(rooms).problems).toEqual([]);
    expect(rooms).not.toHaveProperty("STREAM_API_SECRET");
  });

  it("K10 ends a secret that was taken away, though both platforms keep what a deployment does not name", () => {
    const rotating = plan({ CHAT_JWT_SECRET_PREVIOUS: "Yk3vQ8xN1rT6yB9uH4sL7wE2pC5mJ0aG8dF3kX6" });
    const before = { ...rotating.worker.secrets, ...rotating.rooms };
    const { worker, rooms } = plan();
    const after = { ...before, ...worker.secrets, ...worker.vars, ...rooms };
    expect(before.CHAT_JWT_SECRET_PREVIOUS).toContain("Yk3v");
    expect(readConfig(after).settings?.CHAT_JWT_SECRET_PREVIOUS).toBeUndefined();
    expect(readConfig(after).problems).toEqual([]);
  });

  it("never deploys what only commands read, nor the accounts", () => {
    const { worker, rooms } = plan({ CHATSDK_API_KEY: `chatsdk_live_abcdefgh2345_${"k".repeat(42)}7` });
    const deployed = Object.keys({ ...worker.vars, ...worker.secrets, ...rooms });
    expect(deployed.filter((name) => /CHATSDK_API_KEY|CLERK_SECRET_KEY|CLOUDFLARE|PARTYKIT/.test(name))).toEqual([]);
  });

  it("reads old names and deploys the canonical ones", () => {
    const { worker } = plan({ CHAT_JWT_SECRET: undefined, JWT_SECRET: SETTINGS.CHAT_JWT_SECRET });
    expect(worker.secrets).toHaveProperty("CHAT_JWT_SECRET", SETTINGS.CHAT_JWT_SECRET);
  });

  it("gives a preview its own addresses, in its own environment", () => {
    const { apiUrl, partyUrl, worker, rooms } = plan({}, "pr-12");
    expect(apiUrl).toBe("https://pr-12-parley.acme.workers.dev");
    expect(partyUrl).toBe("https://pr-12.parley-rooms.acme.partykit.dev");
    expect(worker.vars).toMatchObject({ ENVIRONMENT: "preview", PUBLIC_URL: apiUrl, PARTY_URL: partyUrl });
    expect(rooms).toMatchObject({ ENVIRONMENT: "preview", PUBLIC_URL: apiUrl });
  });

  it("puts a team's name in the address of its rooms", () => {
    expect(plan({ PARTYKIT_TEAM: "crew" }, "pr-12").partyUrl).toBe("https://pr-12.parley-rooms.crew.partykit.dev");
  });

  it.each(["", "12", "PR-12", "pr_12", "pr-12-", "-pr", "a".repeat(33), "pr.12", "pr 12", "pr;rm", "ümlaut"])(
    "refuses to name a preview %j",
    (name) => {
      expect(() => plan({}, name)).toThrow(DeployError);
    },
  );

  it.each([
    ["production", undefined, { DEV_MODE: "true" }, /DEV_MODE/],
    ["production", undefined, { ENVIRONMENT: undefined }, /ENVIRONMENT/],
    ["production", undefined, { CHAT_JWT_SECRET: "short" }, /CHAT_JWT_SECRET/],
    ["a preview", "pr-12", { DATABASE_URL: undefined }, /DATABASE_URL/],
    ["a preview", "pr-12", { CHAT_JWT_SECRET: "your-jwt-secret-key-your-jwt-secret-key" }, /CHAT_JWT_SECRET/],
    ["a preview", "pr-12", { CLOUDFLARE_WORKERS_SUBDOMAIN: undefined }, /CLOUDFLARE_WORKERS_SUBDOMAIN/],
    ["a preview", "pr-12", { PARTYKIT_LOGIN: undefined }, /PARTYKIT_LOGIN/],
  ])("refuses %s that would not be safe, and names the setting", (_what, preview, changes, named) => {
    expect(() => plan(changes, preview)).toThrow(named);
  });
});

describe("deploying, rehearsed with the platforms' own tools", () => {
  it("knows what the project is called at both", async () => {
    expect(await readNames()).toEqual(NAMES);
  });

  it.each([undefined, "pr-12"])(
    "uploads the rooms with their settings (preview: %s)",
    async (preview) => {
      expect(await rehearse((local) => deployRooms(plan({}, preview), local))).toBeGreaterThan(10_000);
    },
    TOOL_TIME_LIMIT_MS,
  );

  it.each([undefined, "pr-12"])(
    "makes the Worker's upload without showing a secret (preview: %s)",
    async (preview) => {
      const output = await deployWorker(plan({}, preview), {}, true);
      expect(output).toContain("--dry-run: exiting now");
      expect(output).not.toContain(SETTINGS.CHAT_JWT_SECRET);
      expect(output).not.toContain("Wq7Lr2Tz9Vb4");
    },
    TOOL_TIME_LIMIT_MS,
  );

  it(
    "says what went wrong without showing a secret",
    async () => {
      const unreachable = (local: Record<string, string>) =>
        deployRooms(plan(), { ...local, PARTYKIT_API_BASE: "http://127.0.0.1:9" });
      const error = await rehearse(unreachable).catch((reason: unknown) => reason);
      expect(String(error)).toContain("Deploying the rooms failed");
      expect(String(error)).not.toContain(SETTINGS.CHAT_JWT_SECRET);
    },
    TOOL_TIME_LIMIT_MS,
  );
});

describe("npm run deploy", () => {
  it("prints help", async () => {
    expect(await deploy(["--help"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Usage: npm run deploy"),
    });
  });

  it.each([
    ["an unknown option", ["--force"], 2],
    ["a stray word", ["production"], 2],
    ["a preview without a name", ["--preview"], 2],
    ["a bad preview name", ["--preview", "PR_1", "--dry-run"], 1],
    ["a file that is not there", ["--env-file", "/no/such/file"], 1],
  ])("refuses %s", async (_why, args, code) => {
    expect((await deploy(args)).code).toBe(code);
  });
});
