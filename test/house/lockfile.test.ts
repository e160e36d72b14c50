import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

interface Locked {
  version?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/**
 * `npm ci` refuses a lock file that leaves out a package's builds for other platforms, and npm leaves out those that its
 * registry does not have. To repair it, add the missing ones with version, os, cpu, dev and optional.
 */
it("package-lock.json has every package it asks for, for every platform, so npm ci takes it", async () => {
  const text = await readFile(join(import.meta.dirname, "../../package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as { packages: Record<string, Locked> };
  const missing = Object.entries(packages).flatMap(([path, { dependencies = {}, optionalDependencies = {} }]) =>
    Object.entries({ ...dependencies, ...optionalDependencies })
      .filter(([name, range]) => !isMet(find(packages, path, name), range))
      .map(([name, range]) => `${path} wants ${name}@${range}`),
  );
  expect(missing).toEqual([]);
});

/** Node's way to look for a package: in the nearest node_modules, then in those above. */
function find(packages: Record<string, Locked>, from: string, name: string): Locked | undefined {
  for (let dir = from; ; dir = dir.slice(0, Math.max(dir.lastIndexOf("/node_modules/"), 0))) {
    const found = packages[`${dir === "" ? "" : `${dir}/`}node_modules/${name}`];
    if (found !== undefined || dir === "") return found;
  }
}

/** Builds for a platform are asked for by their exact version; other ranges are npm's to judge. */
function isMet(found: Locked | undefined, range: string): boolean {
  return found !== undefined && (!/^\d+\.\d+\.\d+[\w.-]*$/.test(range) || found.version === range);
}
