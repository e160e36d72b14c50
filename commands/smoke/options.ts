import { readFileSync } from "node:fs";
import { findRunningStack } from "../../dev/stack-file.ts";
import { RESERVED_CHANNEL_IDS, isChannelId } from "../../protocol/ids.ts";
import { readArguments, UsageError } from "../arguments.ts";

export const HELP = `Usage: npm run smoke -- [--url URL] [options]

Checks a deployment from outside, as its users see it: the local stack, a preview URL and production are all just URLs.

  --url URL          the deployment; else CHATSDK_API_URL, else PUBLIC_URL, else the local stack that is running
  --party-url URL    where its rooms are; checks the direct socket too
  --token JWT        a session token of the identity provider: checks the exchange
  --token-file FILE  the same, read from a file, so that it stays out of the process list
  --api-key KEY      an API key: checks minting, and lets two different users talk; else CHATSDK_API_KEY
  --room NAME        the one room it uses and leaves behind (default smoke-test)
  --timeout MS       the time limit of each check (default 10000)
  --junit FILE       writes JUnit XML
  --json FILE        writes JSON
  --data DIR         where the local stack keeps its data (default .data)
  --help             this text

What needs a token is skipped when no argument gives one. A degraded health report is a warning, an unhealthy one a failure.
Exit code: 0 when all that ran held, 1 when a check failed, 2 for bad arguments.`;

export interface SmokeOptions {
  url: URL;
  partyUrl: URL | undefined;
  sessionToken: string | undefined;
  apiKey: string | undefined;
  room: string;
  timeoutMs: number;
  junitFile: string | undefined;
  jsonFile: string | undefined;
}

const OPTIONS = [
  "url",
  "party-url",
  "token",
  "token-file",
  "api-key",
  "room",
  "timeout",
  "junit",
  "json",
  "data",
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the command line.
 *
 * @returns "help" when that is what was asked for.
 * @throws {UsageError}
 */
export async function parseOptions(args: readonly string[], env: Environment): Promise<SmokeOptions | "help"> {
  const values = readArguments(args, OPTIONS);
  if (values.help === true) return "help";
  const named = values.url ?? env["CHATSDK_API_URL"] ?? env["PUBLIC_URL"];
  // A stack's key is used for nothing but itself.
  const stack = named === undefined ? await findRunningStack(values.data ?? ".data") : undefined;
  const url = named ?? stack?.apiUrl;
  if (url === undefined) throw new UsageError("No deployment to check: give --url, or start one with npm run dev");
  const partyUrl = values["party-url"] ?? stack?.partyUrl;
  return {
    url: parseUrl("--url", url),
    partyUrl: partyUrl === undefined ? undefined : parseUrl("--party-url", partyUrl),
    sessionToken: readSessionToken(values),
    apiKey: values["api-key"] ?? env["CHATSDK_API_KEY"] ?? stack?.apiKey,
    room: parseRoom(values.room ?? "smoke-test"),
    timeoutMs: parseTimeout(values.timeout ?? "10000"),
    junitFile: values.junit,
    jsonFile: values.json,
  };
}

function parseUrl(name: string, raw: string): URL {
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.search !== "")
    throw new UsageError(`Cannot read ${name} "${raw}": must be an http or https address without query or credentials`);
  return url;
}

function parseRoom(raw: string): string {
  if (isChannelId(raw) && !RESERVED_CHANNEL_IDS.has(raw)) return raw;
  throw new UsageError(
    `Cannot read --room "${raw}": must match [A-Za-z0-9_-], 1 to 64 characters, and not be reserved`,
  );
}

function parseTimeout(raw: string): number {
  const timeoutMs = /^\d{1,6}$/.test(raw) ? Number(raw) : 0;
  if (timeoutMs >= 100) return timeoutMs;
  throw new UsageError(`Cannot read --timeout "${raw}": must be milliseconds, 100 to 999999`);
}

function readSessionToken(values: { token?: string; "token-file"?: string }): string | undefined {
  const file = values["token-file"];
  if (values.token !== undefined && file !== undefined) throw new UsageError("Give --token or --token-file, not both");
  if (file === undefined) return values.token;
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw new UsageError(`Cannot read --token-file "${file}": there is no such file, or it may not be read`);
  }
}
