import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The path of a program on the PATH; undefined when there is none. */
export function findBinary(name: string): string | undefined {
  for (const dir of (process.env["PATH"] ?? "").split(delimiter)) {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return join(dir, name);
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

export function requireBinary(name: string): string {
  const path = findBinary(name);
  if (path === undefined) throw new Error(`There is no ${name} on the PATH`);
  return path;
}
