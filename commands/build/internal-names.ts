import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import ts from "@typescript/typescript6";
import { build, type BuildOptions } from "esbuild";
import { PROJECT_DIR } from "../../dev/project.ts";

/**
 * Which property names of a door may be shortened: those that nobody but its own code can know. Not one that stands in the
 * published types, in the protocol, in another door's code (`neighbours`), or in what ECMAScript and the DOM declare.
 */
export async function internalNames(door: BuildOptions, neighbours: BuildOptions[], types: string[]): Promise<RegExp> {
  const texts = [...types, ...(await textsIn(join(PROJECT_DIR, "protocol"))), ...(await platformTypes())];
  const known = new Set(texts.flatMap((text) => text.replaceAll(COMMENT, "").match(/[\w$]+/g) ?? []));
  for (const header of HEADERS) known.add(header);
  for (const neighbour of neighbours) for (const name of await namesIn(neighbour)) known.add(name);
  const own = (await namesIn(door)).filter((name) => !known.has(name));
  return new RegExp(`^(?:${own.join("|")})$`);
}

/** What the core writes as a name and HTTP reads. */
const HEADERS = ["authorization"];
const COMMENT = /\/\*[^]*?\*\/|^\s*\/\/.*$/gm;

async function namesIn(options: BuildOptions): Promise<string[]> {
  const { mangleCache } = await build({ ...options, write: false, mangleProps: /^/, mangleCache: {} });
  return Object.keys(mangleCache ?? {});
}

async function platformTypes(): Promise<string[]> {
  return textsIn(dirname(ts.getDefaultLibFilePath({})), /^lib\.(?:es|dom).*\.d\.ts$/);
}

async function textsIn(folder: string, wanted = /\.ts$/): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => wanted.test(file));
  return Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
}
