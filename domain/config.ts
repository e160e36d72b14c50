import * as z from "zod/mini";
import { AppId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { bool, environment, int, list, secret, text, url } from "./setting-values.ts";

/** The variables a runtime hands in: `env` of a Worker or a room, `process.env` of a command. */
export type Variables = Record<string, unknown>;

interface Setting {
  schema: z.ZodMiniType;
  aliases?: readonly string[];
  /** Mends a spelling that old names allowed, before anything is compared. */
  read?: (raw: string) => string;
  /** Text as it would stand in the environment. */
  byDefault?: string;
  secret?: boolean;
  /** Who reads it, for the table in the docs. */
  usedBy: string;
  about: string;
}

/**
 * Every setting there is. The key is the canonical name; an alias is a name that one of the systems Parley replaces used
 * for the same thing. `docs/configuration.md` is generated from here.
 */
export const SETTINGS = {
  ENVIRONMENT: {
    schema: environment,
    aliases: ["STREAM_CHAT_ENVIRONMENT", "NODE_ENV"],
    byDefault: "development",
    usedBy: "all",
    about: "Where this runs; `production` turns every safety check into a hard stop.",
  },
  DEV_MODE: {
    schema: bool,
    byDefault: "false",
    usedBy: "all",
    about: "Trusts the local issuer too. Refused in production.",
  },
  PUBLIC_URL: {
    schema: url("http:", "https:"),
    aliases: ["CHATSDK_API_URL", "EXPO_PUBLIC_API_URL"],
    byDefault: "http://127.0.0.1:8787",
    usedBy: "all",
    about: "The address clients use; `iss` of every chat token, and the base of `wsUrl`.",
  },
  PARTY_URL: {
    schema: url("http:", "https:"),
    aliases: ["PARTYKIT_HOST"],
    byDefault: "http://127.0.0.1:1999",
    usedBy: "all",
    about: "The address of the rooms.",
  },
  PORT: { schema: int(1, 65_535), byDefault: "8787", usedBy: "dev", about: "The port of the local stack's Worker." },
  APP_ID: {
    schema: AppId,
    byDefault: "demo",
    usedBy: "worker",
    about: "The application that signed-in users belong to; API keys name their own.",
  },
  CHAT_DRIVER: {
    schema: z.enum(["native", "stream"]),
    byDefault: "native",
    usedBy: "worker",
    about: "`stream` mints Stream user tokens and creates channels there, for apps that are Stream customers.",
  },
  CHAT_JWT_SECRET: {
    schema: secret,
    aliases: ["JWT_SECRET"],
    secret: true,
    usedBy: "all",
    about: "Signs chat tokens; at least 32 random bytes.",
  },
  CHAT_JWT_SECRET_PREVIOUS: {
    schema: secret,
    secret: true,
    usedBy: "all",
    about: "Still accepted while the signing secret is being rotated.",
  },
  SECRETS_ROTATED_AT: {
    schema: z.iso.date("must be a date like 2026-01-31"),
    usedBy: "commands",
    about: "The day the secrets were last replaced; `npm run doctor` warns after 90 days.",
  },
  TOKEN_TTL_SECONDS: {
    schema: int(60, 86_400),
    byDefault: "86400",
    usedBy: "worker",
    about: "How long chat tokens live.",
  },
  CLERK_JWT_ISSUER: {
    schema: url("http:", "https:"),
    aliases: ["OIDC_ISSUER", "CLERK_FRONTEND_API"],
    // Clerk's old name held a bare host.
    read: (raw) => (raw.includes("://") ? raw : `https://${raw}`),
    usedBy: "worker",
    about: "The issuer whose session tokens are exchanged; compared exactly.",
  },
  CLERK_JWKS_URL: {
    schema: url("http:", "https:"),
    aliases: ["OIDC_JWKS_URL"],
    usedBy: "worker",
    about: "The issuer's key set, when it is not at `/.well-known/jwks.json`.",
  },
  CLERK_AUTHORIZED_PARTIES: {
    schema: list,
    usedBy: "worker",
    about: "Origins that may appear as `azp`, comma-separated. Needed in production with Clerk.",
  },
  CLERK_AUDIENCE: {
    schema: text,
    usedBy: "worker",
    about: "The `aud` a session token must carry, when the issuer sets one.",
  },
  CLERK_SECRET_KEY: {
    schema: text,
    aliases: ["CLERK_API_KEY"],
    secret: true,
    usedBy: "commands",
    about: "Clerk's API key; `npm run session` makes session tokens through it.",
  },
  CLERK_API_URL: {
    schema: url("http:", "https:"),
    byDefault: "https://api.clerk.com",
    usedBy: "commands",
    about: "Clerk's Backend API.",
  },
  CLERK_PUBLISHABLE_KEY: {
    schema: text,
    aliases: ["EXPO_PUBLIC_CLERK_PUBLISHABLE_KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"],
    usedBy: "worker",
    about: "Clerk's public key, told to the page.",
  },
  LOCAL_ISSUER: {
    schema: url("http:"),
    usedBy: "dev",
    about: "The local stack's issuer; trusted only with `DEV_MODE=true`.",
  },
  STREAM_API_KEY: {
    schema: text,
    aliases: ["NEXT_PUBLIC_STREAM_CHAT_API_KEY", "EXPO_PUBLIC_STREAM_API_KEY"],
    usedBy: "worker",
    about: "Stream's public API key, with `CHAT_DRIVER=stream`.",
  },
  STREAM_API_SECRET: {
    schema: text,
    aliases: ["STREAM_CHAT_API_SECRET"],
    secret: true,
    usedBy: "worker",
    about: "Stream's API secret, with `CHAT_DRIVER=stream`.",
  },
  STREAM_CHAT_BASE_URL: {
    schema: url("http:", "https:"),
    byDefault: "https://chat.stream-io-api.com",
    usedBy: "worker",
    about: "Stream's REST address.",
  },
  STREAM_CHAT_TIMEOUT: {
    schema: int(100, 60_000),
    byDefault: "10000",
    usedBy: "worker",
    about: "Milliseconds to wait for Stream.",
  },
  ENABLE_LOGGING: {
    schema: bool,
    aliases: ["STREAM_CHAT_ENABLE_LOGGING"],
    byDefault: "false",
    usedBy: "all",
    about: "Logs each request and socket, without content, tokens or keys.",
  },
  DATABASE_URL: {
    schema: url("postgres:", "postgresql:"),
    secret: true,
    usedBy: "all",
    about: "Neon's connection string.",
  },
  NEON_FETCH_ENDPOINT: {
    schema: url("http:", "https:"),
    usedBy: "all",
    about: "The address that speaks Neon's SQL over HTTP, when it is not the one in `DATABASE_URL`.",
  },
  UPSTASH_REDIS_REST_URL: { schema: url("http:", "https:"), usedBy: "all", about: "Upstash Redis over REST." },
  UPSTASH_REDIS_REST_TOKEN: {
    schema: text,
    secret: true,
    usedBy: "all",
    about: "The token of `UPSTASH_REDIS_REST_URL`.",
  },
  REDIS_URL: {
    schema: url("redis:", "rediss:"),
    secret: true,
    usedBy: "dev",
    about: "A Redis of your own for the local stack, instead of the one in its process.",
  },
  ALLOWED_ORIGINS: {
    schema: list,
    usedBy: "all",
    about: "Browser origins that may call and connect, comma-separated. Empty allows only `PUBLIC_URL` itself.",
  },
  ROOMS_AUTO_CREATE: {
    schema: bool,
    usedBy: "rooms",
    about: "Joining an unknown room creates its channel. Defaults to true outside production.",
  },
  RATE_LIMIT_WINDOW_MS: {
    schema: int(1_000, 3_600_000),
    byDefault: "60000",
    usedBy: "rooms",
    about: "The window of the message limit.",
  },
  RATE_LIMIT_MAX_MESSAGES: {
    schema: int(1, 100_000),
    byDefault: "30",
    usedBy: "rooms",
    about: "Messages a user may send in a room in one window.",
  },
  TOKEN_RATE_LIMIT: {
    schema: int(1, 100_000),
    byDefault: "10",
    usedBy: "worker",
    about: "Token exchanges and mints per user in 15 minutes.",
  },
  CHANNEL_RATE_LIMIT: {
    schema: int(1, 100_000),
    byDefault: "60",
    usedBy: "worker",
    about: "Channel creations per user in 15 minutes.",
  },
  READ_RATE_LIMIT: {
    schema: int(1, 1_000_000),
    byDefault: "600",
    usedBy: "worker",
    about: "Reads per user in a minute.",
  },
  MAX_MESSAGE_LENGTH: {
    schema: int(1, LIMITS.messageMaxCodePoints * 4),
    byDefault: "1000",
    usedBy: "rooms",
    about: "Code points in a message.",
  },
  ENABLE_MODERATION: {
    schema: bool,
    byDefault: "false",
    usedBy: "commands",
    about: "Read and checked only: nothing filters content yet.",
  },
  CHATSDK_API_KEY: {
    schema: text,
    secret: true,
    usedBy: "commands",
    about: "An API key of this deployment, for `npm run smoke`.",
  },
} as const satisfies Record<string, Setting>;
export type SettingName = keyof typeof SETTINGS;

type Values = { [Name in SettingName]: z.output<(typeof SETTINGS)[Name]["schema"]> | undefined };
type Defaulted = {
  [Name in SettingName as (typeof SETTINGS)[Name] extends { byDefault: string } ? Name : never]: z.output<
    (typeof SETTINGS)[Name]["schema"]
  >;
};
/** The settings, parsed. Those with a default are always there. */
export type Settings = Omit<Values, keyof Defaulted> & Defaulted & { ROOMS_AUTO_CREATE: boolean };

export interface ConfigReport {
  settings: Settings | undefined;
  /** Which alias a setting was read from. */
  aliasesUsed: { name: SettingName; alias: string }[];
  /** What stops the service. Names settings, never shows a value. */
  problems: { name: string; problem: string }[];
}

/**
 * Reads the environment through the one schema. Never throws: a service that cannot start still answers its health route.
 * `NODE_ENV` is shared with build tools, so it loses against any other name of `ENVIRONMENT` instead of conflicting.
 */
export function readConfig(variables: Variables): ConfigReport {
  const report: ConfigReport = { settings: undefined, aliasesUsed: [], problems: [] };
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const raw = pick(variables, name, setting, report) ?? setting.byDefault;
    if (raw === undefined) continue;
    const parsed = z.safeParse(setting.schema, raw);
    if (parsed.success) values[name] = parsed.data;
    else report.problems.push({ name, problem: parsed.error.issues[0]?.message ?? "cannot be read" });
  }
  values["ROOMS_AUTO_CREATE"] ??= values["ENVIRONMENT"] !== "production";
  const settings = values as unknown as Settings; // every key was parsed by its own schema above
  if (report.problems.length === 0) report.problems.push(...contradictions(settings));
  if (report.problems.length === 0) report.settings = settings;
  return report;
}

function pick(variables: Variables, name: SettingName, setting: Setting, report: ConfigReport): string | undefined {
  const found = [name, ...(setting.aliases ?? [])].flatMap((key) => {
    const raw = variables[key];
    if (typeof raw !== "string" || raw.trim() === "") return [];
    return [{ key, raw: setting.read?.(raw.trim()) ?? raw.trim() }];
  });
  const candidates = name === "ENVIRONMENT" && found.length > 1 ? found.filter(({ key }) => key !== "NODE_ENV") : found;
  const [first, ...others] = candidates;
  if (first === undefined) return undefined;
  if (first.key !== name) report.aliasesUsed.push({ name, alias: first.key });
  const other = others.find(({ raw }) => raw !== first.raw);
  if (other !== undefined)
    report.problems.push({ name, problem: `is set differently as ${first.key} and as ${other.key}` });
  return first.raw;
}

function contradictions(settings: Settings): { name: string; problem: string }[] {
  const problems: { name: string; problem: string }[] = [];
  const production = settings.ENVIRONMENT === "production";
  if (settings.CHAT_JWT_SECRET === undefined) problems.push({ name: "CHAT_JWT_SECRET", problem: "is missing" });
  if (settings.CHAT_JWT_SECRET !== undefined && settings.CHAT_JWT_SECRET === settings.CHAT_JWT_SECRET_PREVIOUS)
    problems.push({ name: "CHAT_JWT_SECRET_PREVIOUS", problem: "is the same as CHAT_JWT_SECRET" });
  for (const name of ["STREAM_API_SECRET", "CLERK_SECRET_KEY", "CHATSDK_API_KEY", "UPSTASH_REDIS_REST_TOKEN"] as const)
    if (settings.CHAT_JWT_SECRET !== undefined && settings.CHAT_JWT_SECRET === settings[name])
      problems.push({ name: "CHAT_JWT_SECRET", problem: `is also used as ${name}; a secret has one use` });
  if (production && settings.DEV_MODE) problems.push({ name: "DEV_MODE", problem: "must not be true in production" });
  if (settings.DATABASE_URL === undefined) problems.push({ name: "DATABASE_URL", problem: "is missing" });
  if (settings.UPSTASH_REDIS_REST_URL === undefined)
    problems.push({ name: "UPSTASH_REDIS_REST_URL", problem: "is missing" });
  if (settings.UPSTASH_REDIS_REST_TOKEN === undefined)
    problems.push({ name: "UPSTASH_REDIS_REST_TOKEN", problem: "is missing" });
  if (settings.CLERK_JWT_ISSUER !== undefined && settings.CLERK_AUTHORIZED_PARTIES === undefined && production)
    problems.push({
      name: "CLERK_AUTHORIZED_PARTIES",
      problem: "must name the origins that may sign in, in production",
    });
  if (settings.CHAT_DRIVER === "stream" && settings.STREAM_API_KEY === undefined)
    problems.push({ name: "STREAM_API_KEY", problem: "is missing with CHAT_DRIVER=stream" });
  if (settings.CHAT_DRIVER === "stream" && settings.STREAM_API_SECRET === undefined)
    problems.push({ name: "STREAM_API_SECRET", problem: "is missing with CHAT_DRIVER=stream" });
  for (const name of [
    "PUBLIC_URL",
    "PARTY_URL",
    "CLERK_JWT_ISSUER",
    "CLERK_JWKS_URL",
    "UPSTASH_REDIS_REST_URL",
  ] as const)
    if (production && settings[name]?.startsWith("http:"))
      problems.push({ name, problem: "must be https in production" });
  return problems;
}
