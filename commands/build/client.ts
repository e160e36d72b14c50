import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build as bundle, type BuildOptions, type Plugin } from "esbuild";
import { rollup, type Plugin as RollupPlugin } from "rollup";
import { dts } from "rollup-plugin-dts";
import { minify } from "terser";
import { PROJECT_DIR } from "../../dev/project.ts";
import { clientManifest } from "./client-manifest.ts";
import { internalNames } from "./internal-names.ts";

/** The package's doors: where each begins, and the file it becomes. */
const DOORS = { index: "client/index.ts", react: "client/react/index.ts" } as const;
/** Parts of the core that are files of their own: one is loaded when it is needed, one is for who keeps things. */
const PARTS = { http: "client/http.ts", storage: "client/storage.ts" } as const;

/**
 * Writes the package that apps install: each door and part as one minified ES module with its source map, and the doors'
 * types as one file each. What needs the core imports it from next to it, so there is one of each class.
 */
export async function buildClient(outDir: string): Promise<void> {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  const types = await clientTypes();
  const core = [moduleOf("index", DOORS.index), ...Object.entries(PARTS).map(([name, file]) => moduleOf(name, file))];
  const react = moduleOf("react", DOORS.react);
  const mangleProps = await internalNames(core, [react], Object.values(types));
  let mangleCache = {};
  // One after the other, as a name must be shortened to the same one everywhere.
  for (const options of core) mangleCache = await write(outDir, { ...options, mangleProps, mangleCache });
  await write(outDir, react);
  for (const [name, text] of Object.entries(types)) await writeFile(join(outDir, `${name}.d.ts`), text);
  const root: unknown = JSON.parse(await readFile(join(PROJECT_DIR, "package.json"), "utf8"));
  await writeFile(join(outDir, "package.json"), `${JSON.stringify(clientManifest(root), undefined, 2)}\n`);
  await copyFile(join(PROJECT_DIR, "client/README.md"), join(outDir, "README.md"));
  await copyFile(join(PROJECT_DIR, "LICENSE"), join(outDir, "LICENSE"));
}

/** How a door or a part becomes one file. */
function moduleOf(name: string, file: string): BuildOptions {
  return {
    absWorkingDir: PROJECT_DIR,
    entryPoints: { [name]: file },
    outdir: ".",
    write: false,
    bundle: true,
    minify: true,
    sourcemap: "external",
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external: ["react"],
    plugins: [fromNextDoor(name)],
    logLevel: "error",
  };
}

/** Bundles one file, and has terser give its variables shorter and more often the same names than esbuild does. */
async function write(outDir: string, options: BuildOptions): Promise<Record<string, string | false>> {
  const { outputFiles = [], mangleCache = {} } = await bundle(options);
  const [map, bundled] = outputFiles;
  if (map === undefined || bundled === undefined) throw new Error("Cannot bundle a part of the client");
  const file = basename(bundled.path);
  const minified = await minify(bundled.text, {
    module: true,
    ecma: 2020,
    compress: { passes: 3 },
    sourceMap: { content: map.text, filename: file, url: `${file}.map` },
  });
  await writeFile(join(outDir, file), minified.code ?? "");
  await writeFile(join(outDir, `${file}.map`), minified.map as string);
  return mangleCache;
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

/** What is another file of the package is imported from next to this one. */
function fromNextDoor(own: string): Plugin {
  return {
    name: "from-next-door",
    setup(build) {
      build.onResolve({ filter: /^\.\.?\/(?:index|http|storage|chat-error)\.ts$/ }, ({ path, importer }) => {
        if (importer === "") return undefined;
        const name = basename(path, ".ts");
        // Errors are the core's: there must be one class of them.
        const home = name === "chat-error" ? "index" : name;
        return home === own ? undefined : { path: `./${home}.js`, external: true };
      });
    },
  };
}

const coreTypesFromNextDoor: RollupPlugin = {
  name: "core-types-from-next-door",
  resolveId: (id) => (id === "../index.ts" ? { id: NEXT_DOOR, external: true } : undefined),
};
