import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";

/** What an app's bundler makes of what it imports. */
async function bytesOf(imports: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: imports, resolveDir: "." },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    legalComments: "none",
  });
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}

it("the core is small, and an app that keeps nothing offline does not pay for that", async () => {
  const core = await bytesOf('export { ChatClient, ChatError } from "./client/index.ts"');
  const all = await bytesOf('export * from "./client/index.ts"');
  console.log(`the core has ${core} bytes gzipped, with offline storage ${all}`);
  expect(core).toBeLessThan(10_000);
  expect(all).toBeLessThan(11_000);
});
