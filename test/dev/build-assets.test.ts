import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildAssets } from "../../commands/build/assets.ts";
import { PROJECT_DIR } from "../../dev/project.ts";

let dir: string;
const read = (path: string) => readFile(join(dir, "assets", path), "utf8");
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "parley-assets-"));
  await mkdir(join(dir, "assets/old"), { recursive: true });
  await writeFile(join(dir, "assets/old/page.html"), "gone");
  await buildAssets(join(dir, "assets"), { connect: ["http://127.0.0.1:8788"] });
});
afterAll(() => rm(dir, { recursive: true }));

describe("the build's static files", () => {
  it("are the page, the docs, Swagger UI and the OpenAPI document, and nothing older", async () => {
    expect(await read("index.html")).toContain("<!doctype html>");
    expect(await read("api/chats/docs.html")).toContain("swagger-ui-bundle.js");
    expect((await stat(join(dir, "assets/api/chats/docs/swagger-ui-bundle.js"))).size).toBeGreaterThan(500_000);
    expect(JSON.parse(await read("api/chats/openapi.json"))).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\./),
      paths: { "/v1/token": expect.anything(), "/stream/token": expect.anything() },
    });
    await expect(stat(join(dir, "assets/old/page.html"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("refer to nothing outside this origin", async () => {
    for (const page of ["index.html", "api/chats/docs.html"])
      expect(await read(page)).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it("M01 come with a policy that runs no foreign or inline script and allows only the named connections", async () => {
    const [page = "", docs = ""] = (await read("_headers")).split("/api/chats/docs*");
    expect(page).toMatch(/Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(page).toContain("connect-src 'self' http://127.0.0.1:8788;");
    expect(docs).toContain("connect-src 'self';");
    expect(docs).toContain("! Content-Security-Policy");
    expect(docs).not.toMatch(/script-src[^;]*unsafe/);
    for (const header of ["X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Referrer-Policy: no-referrer"])
      expect(page).toContain(header);
  });

  it("let Clerk's script in where the page signs people in with Clerk, and nowhere else", async () => {
    const headersWith = async (variables: Record<string, string>): Promise<string> => {
      const out = join(dir, "clerk");
      const args = [join(PROJECT_DIR, "commands/build.ts"), "--assets", "--out", out];
      await promisify(execFile)(process.execPath, args, { cwd: PROJECT_DIR, env: { ...process.env, ...variables } });
      return await readFile(join(out, "_headers"), "utf8");
    };
    const CLERK_JWT_ISSUER = "https://clerk.acme.io";
    const [page = "", docs = ""] = (
      await headersWith({ CLERK_JWT_ISSUER, CLERK_PUBLISHABLE_KEY: "pk_live_Y2xlcmsuYWNtZS5pbyQ" })
    ).split("/api/chats/docs*");
    expect(page).toContain("script-src 'self' https://clerk.acme.io; worker-src 'self' blob:;");
    expect(page).toContain("connect-src 'self' https://clerk.acme.io;");
    expect(docs).not.toContain("acme");
    expect(await headersWith({ CLERK_JWT_ISSUER, CLERK_PUBLISHABLE_KEY: "" })).not.toContain("acme");
    const older = {
      CLERK_FRONTEND_API: "clerk.acme.io",
      NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_live_Y2xlcmsuYWNtZS5pbyQ",
    };
    expect(await headersWith(older)).toContain("script-src 'self' https://clerk.acme.io;");
  });

  it("O05 hold no source map", async () => {
    await expect(stat(join(dir, "assets/api/chats/docs/swagger-ui-bundle.js.map"))).rejects.toMatchObject({
      code: "ENOENT",
    });
  });

  it("stay untouched when nothing has changed", async () => {
    const file = join(dir, "assets/index.html");
    const before = (await stat(file)).mtimeMs;
    await buildAssets(join(dir, "assets"), { connect: ["http://127.0.0.1:8788"] });
    expect((await stat(file)).mtimeMs).toBe(before);
  });
});
