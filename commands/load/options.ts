import { readArguments, UsageError } from "../arguments.ts";

export const HELP = `Usage: npm run test:load -- [options]

Many clients in several rooms send and listen for a while; then every acked message must have reached everybody in its
room, once and in order, and must be in the history.

  --clients N    people, each with a socket of their own (default 20)
  --rooms N      rooms they are spread over (default 4)
  --rate N       messages a second, of all together (default 40)
  --seconds N    how long they talk (default 10)
  --url URL      an existing deployment; without it a stack is started here and stopped at the end
  --api-key KEY  its API key; else CHATSDK_API_KEY. The deployment must allow this rate (RATE_LIMIT_MAX_MESSAGES)
  --json FILE    writes the figures as JSON
  --help         this text

Exit code: 0 when nothing acked is missing or doubled, 1 when something is, 2 for bad arguments.`;

export interface LoadOptions {
  clients: number;
  rooms: number;
  rate: number;
  seconds: number;
  url: URL | undefined;
  apiKey: string | undefined;
  jsonFile: string | undefined;
}

const OPTIONS = ["clients", "rooms", "rate", "seconds", "url", "api-key", "json"] as const;

/**
 * Reads the command line.
 *
 * @returns "help" when that is what was asked for.
 * @throws {UsageError}
 */
export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): LoadOptions | "help" {
  const values = readArguments(args, OPTIONS);
  if (values.help === true) return "help";
  const url = values.url === undefined ? undefined : parseUrl(values.url);
  const apiKey = values["api-key"] ?? env["CHATSDK_API_KEY"];
  if (url !== undefined && apiKey === undefined) throw new UsageError("--url needs --api-key or CHATSDK_API_KEY too");
  const options = {
    clients: parseCount("--clients", values.clients ?? "20", 2_000),
    rooms: parseCount("--rooms", values.rooms ?? "4", 500),
    rate: parseCount("--rate", values.rate ?? "40", 10_000),
    seconds: parseCount("--seconds", values.seconds ?? "10", 3_600),
  };
  if (options.rooms > options.clients) throw new UsageError("There are more --rooms than --clients to be in them");
  return { ...options, url, apiKey, jsonFile: values.json };
}

function parseCount(name: string, raw: string, max: number): number {
  const value = /^\d{1,6}$/.test(raw) ? Number(raw) : 0;
  if (value >= 1 && value <= max) return value;
  throw new UsageError(`Cannot read ${name} "${raw}": must be a whole number, 1 to ${max}`);
}

function parseUrl(raw: string): URL {
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  if (url !== undefined && ["http:", "https:"].includes(url.protocol)) return url;
  throw new UsageError(`Cannot read --url "${raw}": must be an http or https address`);
}
