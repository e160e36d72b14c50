import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { PROJECT_DIR } from "../../../dev/project.ts";

/** A change of the product's source: `find` must be there exactly once. */
export interface Patch {
  /** From the project's root. */
  file: string;
  find: string;
  replace: string;
}

/** Stands in every file that was changed, as a comment that bundling keeps. */
export const PATCH_MARK = "parley-patched-for-a-test";

/**
 * Changes the source while it is bundled. A part that does not contain a file is not concerned.
 *
 * @throws {Error} from the build, when a patch does not fit.
 */
export function patchPlugin(patches: readonly Patch[]): Plugin {
  const byFile = Map.groupBy(patches, ({ file }) => join(PROJECT_DIR, file));
  return {
    name: "parley-chaos-patches",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const own = byFile.get(path);
        if (own === undefined) return undefined;
        const source = await readFile(path, "utf8");
        return { contents: `${own.reduce(applyPatch, source)}\n/*! ${PATCH_MARK} */\n`, loader: "ts" };
      });
    },
  };
}

/** @throws {Error} when what is to be replaced is not there exactly once. */
export function applyPatch(source: string, { file, find, replace }: Patch): string {
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`A patch of ${file} finds its text ${count} times: ${JSON.stringify(find)}`);
  return source.replace(find, () => replace);
}
