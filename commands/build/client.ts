import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build as bundle, type BuildOptions, type Plugin } from "esbuild";
import { rollup, type Plugin as RollupPlugin } from "rollup";
import { dts } from "rollup-plugin-dts";
import { PROJECT_DIR } from "../../dev/project.ts";
import { clientManifest } from "./client-manifest.ts";
import { internalNames } from "./internal-names.ts";

/** The package's doors: where each begins, and the file it becomes. */
const DOORS = { index: "client/index.ts", react: "client/react/index.ts" } as const;

/**
 * Writes the package that apps install: each door as one minified ES module with its source map, and its types as one
 * file. The React part imports the core from next to it, so an app that uses both has one of each class.
 */
export async function buildClient(outDir: string): Promise<void> {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  const types = await clientTypes();
  const mangleProps = await internalNames(door("index"), [door("react")], Object.values(types));
  await bundle({ ...door("index"), outdir: outDir, mangleProps });
  await bundle({ ...door("react"), outdir: outDir });
  for (const [name, text] of Object.entries(types)) await writeFile(join(outDir, `${name}.d.ts`), text);
  const root: unknown = JSON.parse(await readFile(join(PROJECT_DIR, "package.json"), "utf8"));
  await writeFile(join(outDir, "package.json"), `${JSON.stringify(clientManifest(root), undefined, 2)}\n`);
  await copyFile(join(PROJECT_DIR, "client/README.md"), join(outDir, "README.md"));
  await copyFile(join(PROJECT_DIR, "LICENSE"), join(outDir, "LICENSE"));
}

/** How a door becomes one file. */
function door(name: keyof typeof DOORS): BuildOptions {
  return {
    absWorkingDir: PROJECT_DIR,
    entryPoints: { [name]: DOORS[name] },
    outdir: ".",
    bundle: true,
    minify: true,
    sourcemap: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external: ["react"],
    plugins: [coreFromNextDoor],
    logLevel: "error",
  };
}

/** The declarations of each door, as one text without imports of ours but that of the core by the React part. */
export async function clientTypes(): Promise<Record<keyof typeof DOORS, string>> {
  const build = await rollup({
    input: Object.fromEntries(Object.entries(DOORS).map(([name, file]) => [name, join(PROJECT_DIR, file)])),
    external: ["react"],
    plugins: [
      coreTypesFromNextDoor,
      dts({ tsconfig: join(PROJECT_DIR, "tsconfig.json"), compilerOptions: { stripInternal: true } }),
    ],
  });
  const { output } = await build.generate({ format: "es", entryFileNames: "[name].d.ts" });
  await build.close();
  const textOf = (name: keyof typeof DOORS): string => {
    const file = output.find((file) => file.type === "chunk" && file.name === name);
    if (file?.type !== "chunk" || output.length !== 2) throw new Error("Cannot make one file of types for each door");
    return file.code;
  };
  return { index: textOf("index"), react: textOf("react") };
}

const NEXT_DOOR = "./index.js";

const coreFromNextDoor: Plugin = {
  name: "core-from-next-door",
  setup(build) {
    build.onResolve({ filter: /^\.\.\/index\.ts$/ }, ({ resolveDir }) =>
      resolveDir === join(PROJECT_DIR, "client/react") ? { path: NEXT_DOOR, external: true } : undefined,
    );
  },
};

const coreTypesFromNextDoor: RollupPlugin = {
  name: "core-types-from-next-door",
  resolveId: (id) => (id === "../index.ts" ? { id: NEXT_DOOR, external: true } : undefined),
};
