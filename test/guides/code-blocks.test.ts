import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCodeBlocks } from "../support/guide-blocks.ts";

const blocks = await readCodeBlocks();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-guides-"));
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
  const paths = { parley: [resolve("client/index.ts")], "parley/react": [resolve("client/react/index.ts")] };
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: resolve("tsconfig.json"),
      compilerOptions: { paths, jsx: "react-jsx", moduleDetection: "force" },
      include: ["*.ts", "*.tsx", resolve("docs/guides/examples")],
    }),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the code in the guides", () => {
  it("is there for each platform", () => {
    const pages = new Set(blocks.map(({ page }) => page));
    for (const guide of ["browser", "react", "react-native", "node"])
      expect(pages).toContain(`docs/guides/${guide}.md`);
  });

  it("S3-9 S3-10 S4-33 fits the client as it is, and a check that finds nothing wrong would be noticed", async () => {
    const wrong = 'import { ChatClient } from "parley";\nnew ChatClient({ apiUrl: 7 });\n';
    await writeFile(join(folder, "wrong.ts"), wrong);
    await Promise.all(blocks.map(({ file, text }) => writeFile(join(folder, file), text)));
    const errors = (await typeErrors()).split("\n").filter((line) => line.includes("error TS"));
    expect(errors).toEqual([expect.stringMatching(/^wrong\.ts\(2,/)]);
  });
});

function typeErrors(): Promise<string> {
  return new Promise((done) =>
    execFile(
      process.execPath,
      [resolve("node_modules/typescript/bin/tsc"), "-p", "."],
      { cwd: folder },
      (_error, stdout) => done(stdout),
    ),
  );
}
