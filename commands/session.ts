import { parseArgs } from "node:util";
import * as z from "zod";
import { SETTINGS } from "../domain/config.ts";
import { findSetting } from "../dev/local-settings.ts";
import { findRunningStack } from "../dev/stack-file.ts";
import { UserId } from "../protocol/ids.ts";
import { createClerkSession, type SessionWish } from "./clerk-sessions.ts";

const HELP = `Usage: npm run -s session -- --user ID [OPTIONS]

Prints a session token (a JWT), which POST /v1/token swaps for chat tokens.

It comes from the local stack's issuer, or, when CLERK_SECRET_KEY (or CLERK_API_KEY) is set, from Clerk: the user is
looked up by its Clerk id (user_…) or else by its external id, created if need be, and given a new session. Clerk
allows that on development instances only, and such a token carries no "azp".

  --user ID     who signs in
  --name NAME   the display name (default: the id)
  --ttl N       seconds until it expires (default 3600; Clerk wants at least 30)
  --data DIR    where the local stack keeps its data (default .data)
  --help        this text`;

const DEFAULT_TTL_SECONDS = 3_600;
const MAX_TTL_SECONDS = 31_536_000;
const TIMEOUT_MS = 10_000;

const SessionReply = z.object({ token: z.string() });

await main();

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  try {
    console.log(await createSession(options.wish, options.dataDir));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

async function createSession(wish: SessionWish, dataDir: string): Promise<string> {
  const secretKey = findSetting(process.env, "CLERK_SECRET_KEY");
  if (secretKey === undefined) return await askLocalIssuer(await findIssuer(dataDir), wish);
  const apiUrl = findSetting(process.env, "CLERK_API_URL") ?? SETTINGS.CLERK_API_URL.byDefault;
  return await createClerkSession({ apiUrl, secretKey }, wish);
}

async function findIssuer(dataDir: string): Promise<string> {
  const issuer = findSetting(process.env, "LOCAL_ISSUER") ?? (await findRunningStack(dataDir))?.issuer;
  if (issuer !== undefined) return issuer;
  throw new Error(`No stack is running on ${dataDir}: start one with npm run dev, or set CLERK_SECRET_KEY`);
}

async function askLocalIssuer(issuer: string, wish: SessionWish): Promise<string> {
  const reply = await fetch(`${issuer}/session`, {
    method: "POST",
    body: JSON.stringify(wish),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new Error(`The local issuer at ${issuer} does not answer: is the stack running?`, { cause });
  });
  if (!reply.ok) throw new Error(`The local issuer at ${issuer} refused: ${await reply.text()}`);
  return SessionReply.parse(await reply.json()).token;
}

function readOptions(): { wish: SessionWish; dataDir: string } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        user: { type: "string" },
        name: { type: "string" },
        ttl: { type: "string", default: String(DEFAULT_TTL_SECONDS) },
        data: { type: "string", default: ".data" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      console.log(HELP);
      return undefined;
    }
    if (values.user === undefined) throw new Error("--user is missing");
    const user = UserId.safeParse(values.user);
    if (!user.success) throw new Error(`Cannot take --user "${values.user}": ${user.error.issues[0]?.message}`);
    const name = values.name?.trim() ?? user.data;
    if (name === "" || name.length > 200) throw new Error("Cannot take --name: must have 1 to 200 characters");
    return { wish: { user: user.data, name, ttlSeconds: parseSeconds(values.ttl) }, dataDir: values.data };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; see npm run session -- --help`);
    process.exitCode = 2;
    return undefined;
  }
}

function parseSeconds(raw: string): number {
  const seconds = Number(raw);
  if (/^\d{1,8}$/.test(raw) && seconds >= 1 && seconds <= MAX_TTL_SECONDS) return seconds;
  throw new Error(`Cannot read --ttl "${raw}": must be seconds, 1 to ${MAX_TTL_SECONDS}`);
}
