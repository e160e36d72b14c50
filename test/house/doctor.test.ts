import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkProduction } from "../../commands/production-rules.ts";
import { type CommandResult, runCommand } from "../support/run-command.ts";

const SAFE = {
  ENVIRONMENT: "production",
  PUBLIC_URL: "https://chat.acme.io",
  PARTY_URL: "https://rooms.acme.partykit.dev",
  APP_ID: "acme",
  CHAT_JWT_SECRET: "Zk3vQ8xN1rT6yB9uH4sL7wE2pC5mJ0aG8dF3kX6",
  SECRETS_ROTATED_AT: new Date().toISOString().slice(0, 10),
  DATABASE_URL: "postgres://parley:Wq7Lr2Tz9Vb4@ep-cool-1.neon.tech/parley",
  UPSTASH_REDIS_REST_URL: "https://eu1-fine-1.upstash.io",
  UPSTASH_REDIS_REST_TOKEN: "AXq9Rr3Ls8Bn2Vt6Yy1Kk5Pp4Ww7Hh0",
  CLERK_JWT_ISSUER: "https://clerk.acme.io",
  CLERK_AUTHORIZED_PARTIES: "https://app.acme.io,https://acme.io",
  CLERK_SECRET_KEY: "sk_live_Qm8Xv3Nf7",
  ALLOWED_ORIGINS: "https://app.acme.io",
  CHATSDK_API_KEY: `chatsdk_live_abcdefgh2345_${"devtestdemoQ7".repeat(4).slice(0, 43)}`,
};
const STREAM = {
  CHAT_DRIVER: "stream",
  STREAM_API_KEY: "b7kq2m9xw4tz",
  STREAM_API_SECRET: "h3kd8sn2mf7ql1xc9vb4zt6wy5rp0aje",
};
const SECRETS = Object.entries({ ...SAFE, ...STREAM })
  .filter(([name]) => /SECRET$|SECRET_KEY|TOKEN$|DATABASE_URL|CHATSDK_API_KEY/.test(name))
  .map(([, value]) => value);

/** The settings that stand against serving production. */
function stops(changes: Record<string, string | undefined>): string[] {
  const findings = checkProduction({ ...SAFE, ...changes }, new Date("2026-11-21"));
  return findings.filter(({ level }) => level === "stop").map(({ name }) => name);
}

function warnings(changes: Record<string, string | undefined>): string[] {
  const findings = checkProduction({ ...SAFE, SECRETS_ROTATED_AT: "2026-11-01", ...changes }, new Date("2026-11-21"));
  return findings.filter(({ level }) => level === "warn").map(({ name }) => name);
}

function doctor(args: string[], environment: Record<string, string> = {}): Promise<CommandResult> {
  return runCommand("commands/doctor.ts", ["--data", folder, ...args], environment);
}

async function envFile(settings: Record<string, string>): Promise<string> {
  const file = join(folder, `${crypto.randomUUID()}.env`);
  await writeFile(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(""),
  );
  return file;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-doctor-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("checkProduction", () => {
  it("finds nothing wrong with a safe production environment", () => {
    expect(stops({})).toEqual([]);
    expect(warnings({})).toEqual([]);
    expect(stops(STREAM)).toEqual([]);
  });

  it.each<[why: string, name: string, value: string | undefined]>([
    ["no environment", "ENVIRONMENT", undefined],
    ["another environment", "ENVIRONMENT", "staging"],
    ["T15 mock sign-ins", "DEV_MODE", "true"],
    ["no signing secret", "CHAT_JWT_SECRET", undefined],
    ["a short signing secret", "CHAT_JWT_SECRET", "Zk3vQ8xN1rT6"],
    ["S2-12 a placeholder for a signing secret", "CHAT_JWT_SECRET", "your-production-jwt-secret-goes-here-1"],
    ["J27 a signing secret that others published", "CHAT_JWT_SECRET", "r9iMKoe5CRMgvJBBtp4HrqN7QiPpUToj"],
    ["J27 one that still verifies", "CHAT_JWT_SECRET_PREVIOUS", "r9iMKoe5CRMgvJBBtp4HrqN7QiPpUToj"],
    ["J27 another one", "CHAT_JWT_SECRET", "27FD418A5F871868E783C138188258EEFB696ABB953EF3FCF59F951751CDCC3A"],
    ["no database", "DATABASE_URL", undefined],
    ["a database on this machine", "DATABASE_URL", "postgres://u:Wq7Lr2Tz9Vb4@localhost/x"],
    ["the password of an example", "DATABASE_URL", "postgres://user:pass@host.neon.tech/dbname"],
    ["a database without password", "DATABASE_URL", "postgres://user@host.neon.tech/dbname"],
    ["plain HTTP to the database", "NEON_FETCH_ENDPOINT", "http://db.acme.io/sql"],
    ["plain HTTP to Redis", "UPSTASH_REDIS_REST_URL", "http://eu1-fine-1.upstash.io"],
    ["a placeholder for Redis's token", "UPSTASH_REDIS_REST_TOKEN", "your_upstash_token_goes_here"],
    ["S0-22 plain HTTP for clients", "PUBLIC_URL", "http://chat.acme.io"],
    ["no public address", "PUBLIC_URL", undefined],
    ["a placeholder for an address", "PUBLIC_URL", "https://your-domain.com"],
    ["rooms on this machine", "PARTY_URL", "https://localhost:1999"],
    ["S1-13 any origin", "ALLOWED_ORIGINS", "*"],
    ["any subdomain", "ALLOWED_ORIGINS", "https://*.acme.io"],
    ["an origin with a path", "ALLOWED_ORIGINS", "https://app.acme.io/"],
    ["a developer's origin", "ALLOWED_ORIGINS", "https://app.acme.io,http://localhost:3000"],
    ["an origin over plain HTTP", "ALLOWED_ORIGINS", "http://app.acme.io"],
    ["an issuer over plain HTTP", "CLERK_JWT_ISSUER", "http://clerk.acme.io"],
    ["Clerk's development instance", "CLERK_JWT_ISSUER", "https://fond-cat-12.clerk.accounts.dev"],
    ["J14 no authorized parties", "CLERK_AUTHORIZED_PARTIES", undefined],
    ["J14 a developer's machine as party", "CLERK_AUTHORIZED_PARTIES", "https://localhost:3000"],
    ["a development key of Clerk", "CLERK_SECRET_KEY", "sk_test_Qm8Xv3Nf7"],
    ["a secret key where pages read", "CLERK_PUBLISHABLE_KEY", "sk_live_Qm8Xv3Nf7"],
    ["T14 a test API key", "CHATSDK_API_KEY", SAFE.CHATSDK_API_KEY.replace("live", "test")],
    ["S3-18 something that is no API key", "CHATSDK_API_KEY", "chatsdk_abc123"],
    ["S0-20 a secret under a name that pages get", "NEXT_PUBLIC_STREAM_CHAT_API_SECRET", "anything"],
    ["S3-24 an API key under a name that pages get", "EXPO_PUBLIC_CHAT", SAFE.CHATSDK_API_KEY],
  ])("stops for %s: %s", (_why, name, value) => {
    expect(stops({ [name]: value })).toEqual([name]);
  });

  it.each([
    ["shorter than 10 characters", "STREAM_API_KEY", "b7kq2m9xw"],
    ["a demo key", "STREAM_API_KEY", "demo-b7kq2m9xw4"],
    ["a test key", "STREAM_API_KEY", "test_b7kq2m9xw4"],
    ["a placeholder", "STREAM_API_KEY", "your-production-api-key"],
    ["not of Stream's form", "STREAM_API_KEY", "B7KQ2M9XW4TZ"],
    ["missing", "STREAM_API_KEY", undefined],
    ["a placeholder", "STREAM_API_SECRET", "your-production-api-secret-here-12345"],
    ["too short", "STREAM_API_SECRET", "h3kd8sn2"],
  ])("S2-9 stops for a Stream key that is %s: %s", (_why, name, value) => {
    expect(stops({ ...STREAM, [name]: value })).toEqual([name]);
  });

  it("judges the environment segment of an API key, not letters that happen to spell dev, test or demo", () => {
    expect(SAFE.CHATSDK_API_KEY).toMatch(/dev.*test.*demo/);
    expect(stops({})).toEqual([]);
    expect(stops({ ...STREAM, STREAM_API_KEY: "qdevtest9k2m" })).toEqual([]);
  });

  it.each(["true", "false"])("S4-22 has nothing against moderation that is %s", (value) => {
    expect([...warnings({ ENABLE_MODERATION: value }), ...stops({ ENABLE_MODERATION: value })]).toEqual([]);
  });

  it("still judges the rest when one value cannot be read", () => {
    expect(stops({ PORT: "eighty", DEV_MODE: "true", DATABASE_URL: undefined })).toEqual([
      "PORT",
      "DEV_MODE",
      "DATABASE_URL",
    ]);
  });

  it.each([
    ["S2-10 secrets older than 90 days", "SECRETS_ROTATED_AT", "2026-08-01"],
    ["an unknown age of secrets", "SECRETS_ROTATED_AT", undefined],
    ["a rotation that never ends", "CHAT_JWT_SECRET_PREVIOUS", "Yk3vQ8xN1rT6yB9uH4sL7wE2pC5mJ0aG8dF3kX6"],
    ["no origins", "ALLOWED_ORIGINS", undefined],
    ["S2-20 debug logging", "ENABLE_LOGGING", "true"],
    ["rooms made by anybody", "ROOMS_AUTO_CREATE", "true"],
    ["the local issuer", "LOCAL_ISSUER", "http://127.0.0.1:8788"],
    ["an issuer that ends in a slash", "CLERK_JWT_ISSUER", "https://clerk.acme.io/"],
  ])("warns of %s: %s", (_why, name, value) => {
    expect(warnings({ [name]: value })).toEqual([name]);
    expect(stops({ [name]: value })).toEqual([]);
  });
});

describe("npm run doctor", () => {
  it("exits with 0 when production would be safe", async () => {
    const { code, stdout } = await doctor(["--env-file", await envFile(SAFE)]);
    expect(stdout).toContain("Production would be safe");
    expect(code).toBe(0);
  });

  it("exits with 1 when it would not, and says what to mend", async () => {
    const { code, stdout } = await doctor(["--env-file", await envFile({ ...SAFE, DEV_MODE: "true" })]);
    expect(stdout).toContain("STOP  DEV_MODE");
    expect(code).toBe(1);
  });

  it("judges a file without ENVIRONMENT as production with --production", async () => {
    const { ENVIRONMENT: _left, ...settings } = SAFE;
    const file = await envFile(settings);
    expect((await doctor(["--env-file", file])).code).toBe(1);
    expect((await doctor(["--env-file", file, "--production"])).code).toBe(0);
  });

  it("says which alias a setting was read from, and what stands for the rest", async () => {
    const { CHAT_JWT_SECRET, ...settings } = SAFE;
    const { stdout } = await doctor([
      "--json",
      "--env-file",
      await envFile({ ...settings, JWT_SECRET: CHAT_JWT_SECRET }),
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      safe: true,
      settings: expect.arrayContaining([
        { name: "CHAT_JWT_SECRET", from: "from JWT_SECRET", shown: "set, 39 bytes", secret: true },
        { name: "APP_ID", from: "set", shown: "acme", secret: false },
        { name: "RATE_LIMIT_MAX_MESSAGES", from: "default", shown: "30", secret: false },
        { name: "CLERK_AUDIENCE", from: "not set", shown: "-", secret: false },
      ]),
    });
  });

  it("reads this shell when it sets something", async () => {
    const { stdout, code } = await doctor([], SAFE);
    expect(stdout).toContain("Settings of this shell");
    expect(code).toBe(0);
  });

  it("reads the running local stack when the shell sets nothing", async () => {
    const stack = {
      pid: process.pid,
      wsUrl: "ws://127.0.0.1:8787/ws",
      apiKey: SAFE.CHATSDK_API_KEY,
      apiUrl: "http://127.0.0.1:8787",
      partyUrl: "http://127.0.0.1:1999",
      issuer: "http://127.0.0.1:8788",
      databaseUrl: SAFE.DATABASE_URL,
      neonFetchEndpoint: "http://127.0.0.1:5433/sql",
      redisRestUrl: "http://127.0.0.1:6380",
      redisRestToken: SAFE.UPSTASH_REDIS_REST_TOKEN,
      chatJwtSecret: SAFE.CHAT_JWT_SECRET,
    };
    const file = join(folder, "stack.json");
    await writeFile(file, JSON.stringify(stack));
    const { stdout, code } = await doctor(["--json"]);
    await rm(file);
    expect(JSON.parse(stdout)).toMatchObject({ starts: true, safe: false });
    expect(code).toBe(1);
  });

  it.each([
    ["as a table", []],
    ["as JSON", ["--json"]],
  ])("O01 never shows a secret %s", async (_form, flags) => {
    const { stdout, stderr } = await doctor([...flags, "--env-file", await envFile({ ...SAFE, ...STREAM })]);
    expect(stdout).toContain("CHAT_JWT_SECRET");
    for (const secret of SECRETS) expect(stdout + stderr).not.toContain(secret);
    expect(stdout).not.toContain("Wq7Lr2Tz9Vb4");
  });

  it("O01 never shows a secret that stands in the wrong place", async () => {
    const file = await envFile({
      CLERK_AUDIENCE: SAFE.CHAT_JWT_SECRET,
      CHAT_JWT_SECRET: SAFE.CHAT_JWT_SECRET,
      PORT: "canary-port-Zk3vQ8xN1rT6yB9uH4sL7wE2pC5mJ0aG8dF3kX6",
      APP_ID: "sk_live_canary",
      UPSTASH_REDIS_REST_URL: "https://user:canary@redis.acme.io/?token=canary",
    });
    const { stdout, stderr } = await doctor(["--env-file", file]);
    expect(stdout + stderr).not.toContain(SAFE.CHAT_JWT_SECRET);
    expect(stdout + stderr).not.toContain("canary");
  });

  it("prints help", async () => {
    const { code, stdout } = await doctor(["--help"]);
    expect(stdout).toContain("Usage: npm run doctor");
    expect(code).toBe(0);
  });

  it.each([
    ["an unknown option", ["--verbose"]],
    ["a file that is not there", ["--env-file", "/no/such/file"]],
  ])("refuses %s with exit code 2 and one line", async (_why, args) => {
    const { code, stderr } = await doctor(args);
    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
