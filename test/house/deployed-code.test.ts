import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const DEPLOYED = ["db", "domain", "functions", "node_modules", "party", "protocol"];

describe("what is deployed", () => {
  it.each([
    ["the Worker", "functions/index.ts"],
    ["the rooms", "party/index.ts"],
    ["the rooms' people", "party/people.ts"],
  ])("T15 T16 holds nothing of the local stack or the tests: %s", async (_what, entry) => {
    const { metafile } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      conditions: ["workerd", "worker"],
      external: ["cloudflare:*", "node:*"],
      logLevel: "error",
    });
    const files = Object.keys(metafile.inputs);
    expect(files).toContain("domain/chat-tokens.ts");
    expect(files.filter((file) => !DEPLOYED.includes(file.split("/")[0] ?? ""))).toEqual([]);
  });
});
