import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { bundleWorker } from "../../bench/workerd.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { createMemoryDeps } from "../support/memory-deps.ts";
import { bearer } from "../support/requests.ts";
import { World } from "../party/world.ts";

const isNewer = (version: string, least: string): boolean =>
  version.localeCompare(least, "en", { numeric: true, sensitivity: "base" }) >= 0;

describe("what is logged", () => {
  it("O04 has labels from short lists, however many rooms, users and odd addresses there are", async () => {
    const memory = await createMemoryDeps({ ENABLE_LOGGING: "true", TOKEN_RATE_LIMIT: "100000" });
    const token = await memory.chatToken("rest");
    for (let at = 0; at < 200; at++) {
      const id = crypto.randomUUID();
      const path =
        [`/v1/channels/${id}`, `/v1/users/${id}/presence`, `/${id}`, `/v1/channels/${id}/messages`][at % 4] ?? "";
      await memory.app.request(path, bearer(at % 3 === 0 ? id : token));
    }
    await memory.stop();
    const entries = memory.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const different = (label: string) => new Set(entries.map((entry) => entry[label])).size;
    expect(entries.length).toBeGreaterThanOrEqual(200);
    expect(["level", "event", "method", "route", "status", "code"].map(different)).toEqual(
      ["level", "event", "method", "route", "status", "code"].map(() =>
        expect.toSatisfy((count: number) => count <= 6),
      ),
    );
    // What grows with users and requests stands in fields of its own, and in no label.
    const labels = entries.flatMap(({ requestId: _requestId, userId: _userId, ms: _ms, ...rest }) =>
      Object.values(rest),
    );
    expect(labels.filter((label) => /[0-9a-f]{8}-[0-9a-f]{4}/.test(String(label)))).toEqual([]);
  });

  it("O09 has an alarm in the log for a history that cannot be written, and how much waits, while nobody has lost anything", async () => {
    const store = createMemoryStore();
    const world = new World({ store: { ...store, writeBatch: () => Promise.reject(new Error("Postgres is away")) } });
    const alice = await world.connect("alice");
    for (let at = 0; at < 5; at++) await alice.post(`message ${at}`);
    await world.advance(10_000);
    const told = world.logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    const alarms = told.filter(({ event }) => event === "history_write_failed");
    expect(alarms.at(-1)).toMatchObject({ level: "error", waiting: 5 });
  });

  it("O01 leaves out Cloudflare's own lines, which have whole addresses, ?token= and all", async () => {
    const section = /\[observability\.logs\]\n((?:(?!\[).*\n)*)/.exec(await readFile("wrangler.toml", "utf8"))?.[1];
    expect(section).toMatch(/^invocation_logs = false$/m);
  });
});

describe("what is deployed", async () => {
  const entries = ["functions/index.ts", "party/index.ts"];

  it("M08 has the content filter in the rooms, and not a word of it in the Worker", async () => {
    const [worker, rooms] = await Promise.all(entries.map(bundleWorker));
    expect([worker?.includes("muthaf"), rooms?.includes("muthaf")]).toEqual([false, true]);
    expect([worker?.includes("blacklistedTerms"), rooms?.includes("blacklistedTerms")]).toEqual([false, true]);
  });

  it.each(entries)("O05 %s is bundled without source maps, tests, machine paths and settings", async (entry) => {
    const code = await bundleWorker(entry);
    expect(code.length).toBeGreaterThan(50_000);
    for (const foreign of [
      "sourceMappingURL",
      "BEGIN PRIVATE KEY",
      process.cwd(),
      "createMemoryDeps",
      "fast-check",
      "vitest",
    ])
      expect(code.includes(foreign) ? foreign : "").toBe("");
    expect(
      /\b(postgres(ql)?|rediss?):\/\/[^\s"'`$]+:[^\s"'`$]+@|\bsk_(live|test)_\w{8}|chatsdk_live_\w{12}_/.exec(
        code,
      )?.[0],
    ).toBeUndefined();
  });

  it.skipIf(!existsSync(".git"))(
    "O05 no file of settings is in the repository, and neither half's own configuration has any",
    async () => {
      const { stdout } = await promisify(execFile)("git", ["ls-files"]);
      const files = stdout.split("\n");
      expect(files.filter((file) => /(^|\/)(\.env|\.dev\.vars)(?!.*example)|\.(pem|key|p12|map)$/.test(file))).toEqual(
        [],
      );
      expect(await readFile("wrangler.toml", "utf8")).not.toMatch(/^\[vars\]|secret|upload_source_maps = true/im);
      const rooms = JSON.parse(await readFile("partykit.json", "utf8")) as object;
      expect(Object.keys(rooms)).not.toContain("vars");
      const ignored = (await readFile(".gitignore", "utf8")).split("\n");
      expect(ignored).toEqual(expect.arrayContaining([".env", ".dev.vars"]));
    },
  );

  it.each(entries)("F20 the runtime of %s compresses no sockets", async (entry) => {
    const file = entry.startsWith("party/") ? "partykit.json" : "wrangler.toml";
    const text = await readFile(file, "utf8");
    expect(/compatibility_?flags"?\s*[:=]\s*\[(.*)\]/i.exec(text)?.[1]).toContain('"no_web_socket_compression"');
  });
});

describe("what it is made of", async () => {
  interface Locked {
    version?: string;
    resolved?: string;
    integrity?: string;
    dev?: boolean;
    link?: boolean;
  }
  const lock = JSON.parse(await readFile("package-lock.json", "utf8")) as { packages: Record<string, Locked> };
  const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

  it.each([
    ["hono", "4.13.5"],
    ["jose", "6.2.0"],
    ["ws", "8.17.1"],
  ])("O06 %s is %s or newer, in every copy", (name, least) => {
    const copies = packages.filter(([path]) => path === `node_modules/${name}`);
    expect(copies).toHaveLength(1);
    for (const [, { version = "0" }] of copies) expect(isNewer(version, least) ? "" : version).toBe("");
  });

  it("O06 every package is pinned to one version, its contents by hash", () => {
    const loose = packages.filter(([, { version, link }]) => link === true || !/^\d+\.\d+\.\d+/.test(version ?? ""));
    expect(loose.map(([path]) => path)).toEqual([]);
    const unpinned = packages.filter(([, { resolved, integrity, version }]) =>
      resolved === undefined ? version === undefined : !integrity?.startsWith("sha512-"),
    );
    expect(unpinned.map(([path]) => path)).toEqual([]);
    const elsewhere = packages.filter(([, { resolved }]) => resolved !== undefined && !resolved.startsWith("https://"));
    expect(elsewhere.map(([path]) => path)).toEqual([]);
  });

  it("O06 no development server is in what is deployed", () => {
    const shipped = packages
      .filter(([, { dev }]) => dev !== true)
      .map(([path]) => path.replace(/^.*node_modules\//, ""));
    expect(shipped).toEqual(expect.arrayContaining(["hono", "jose"]));
    expect(
      shipped.filter((name) => /^(partykit|miniflare|wrangler|workerd|undici|esbuild|vitest)$/.test(name)),
    ).toEqual([]);
  });
});
