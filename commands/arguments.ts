import { parseArgs } from "node:util";

/** Arguments that cannot be used; its message says which and why. */
export class UsageError extends Error {}

/**
 * Reads a command line of options that each take a text, and `--help`.
 *
 * @throws {UsageError} for everything else that stands there
 */
export function readArguments<const Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): Partial<Record<Name, string>> & { help?: boolean } {
  const texts = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  try {
    const { values } = parseArgs({ args: [...args], options: { ...texts, help: { type: "boolean", short: "h" } } });
    return values as Partial<Record<Name, string>> & { help?: boolean }; // as `texts` says, whose names the type has lost
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
