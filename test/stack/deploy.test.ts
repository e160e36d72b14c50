import { describe, expect, it } from "vitest";
import { runCommand } from "../support/run-command.ts";

const SETTINGS = {
  ENVIRONMENT: "production",
  PUBLIC_URL: "https://chat.acme.io",
  PARTY_URL: "https://parley-rooms.acme.partykit.dev",
  CHAT_JWT_SECRET: "Zk3vQ8xN1rT6yB9uH4sL7wE2pC5mJ0aG8dF3kX6",
  DATABASE_URL: "postgres://parley:Wq7Lr2Tz9Vb4@ep-cool-1.neon.tech/parley",
  UPSTASH_REDIS_REST_URL: "https://eu1-fine-1.upstash.io",
  UPSTASH_REDIS_REST_TOKEN: "AXq9Rr3Ls8Bn2Vt6Yy1Kk5Pp4Ww7Hh0",
  CLOUDFLARE_WORKERS_SUBDOMAIN: "acme",
  PARTYKIT_LOGIN: "acme",
};

describe("npm run deploy -- --dry-run", () => {
  it.each([
    ["production", [], SETTINGS.PUBLIC_URL, SETTINGS.PARTY_URL],
    [
      "preview",
      ["--preview", "pr-12"],
      "https://pr-12-parley.acme.workers.dev",
      "https://pr-12.parley-rooms.acme.partykit.dev",
    ],
  ])("builds and rehearses both halves for %s, without an account", async (environment, args, apiUrl, partyUrl) => {
    const { code, stdout, stderr } = await runCommand("commands/deploy.ts", [...args, "--dry-run", "--json"], SETTINGS);
    expect(stderr).toContain("Rehearsed deploying the Worker");
    expect(JSON.parse(stdout)).toEqual({
      environment,
      apiUrl,
      partyUrl,
      wsUrl: `${apiUrl.replace("https", "wss")}/ws`,
      deployed: false,
    });
    expect(stdout + stderr).not.toContain(SETTINGS.CHAT_JWT_SECRET);
    expect(code).toBe(0);
  });
});
