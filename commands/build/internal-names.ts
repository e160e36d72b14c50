import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import ts from "@typescript/typescript6";
import { build, type BuildOptions } from "esbuild";
import { PROJECT_DIR } from "../../dev/project.ts";

/**
 * Which property names of some modules may be shortened: those that nobody but their own code can know. Not one that stands
 * in the published types, in the protocol, in other code (`neighbours`), or in what ECMAScript and the DOM declare.
 */
export async function internalNames(own: BuildOptions[], neighbours: BuildOptions[], types: string[]): Promise<RegExp> {
  const texts = [...types, ...(await textsIn(join(PROJECT_DIR, "protocol"))), ...(await platformTypes())];
  const known = new Set(texts.flatMap((text) => text.replaceAll(COMMENT, "").match(/[\w$]+/g) ?? []));
  for (const name of [...SHARED, ...(await namesIn(neighbours))]) known.add(name);
  const names = new Set((await namesIn(own)).filter((name) => !known.has(name)));
  return new RegExp(`^(?:${[...names].join("|")})$`);
}

/** What the core writes as a name and others read: HTTP, and whoever loads modules, whose exports keep their names. */
const SHARED = ["authorization", "createHttp"];
const COMMENT = /\/\*[^]*?\*\/|^\s*\/\/.*$/gm;

async function namesIn(modules: BuildOptions[]): Promise<string[]> {
  const builds = modules.map((module) => build({ ...module, mangleProps: /^/, mangleCache: {} }));
  return (await Promise.all(builds)).flatMap(({ mangleCache }) => Object.keys(mangleCache ?? {}));
}

async function platformTypes(): Promise<string[]> {
  return textsIn(dirname(ts.getDefaultLibFilePath({})), /^lib\.(?:es|dom).*\.d\.ts$/);
}

async function textsIn(folder: string, wanted = /\.ts$/): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => wanted.test(file));
  return Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
}
