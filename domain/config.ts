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
}

/**
 * Every setting there is. The key is the canonical name; an alias is a name that one of the systems Parley replaces used
 * for the same thing. What people are told of each stands in `setting-notes.ts`.
 */
export const SETTINGS = {
  ENVIRONMENT: {
    schema: environment,
    aliases: ["STREAM_CHAT_ENVIRONMENT", "NODE_ENV"],
    byDefault: "development",
  },
  DEV_MODE: {
    schema: bool,
    byDefault: "false",
  },
  PUBLIC_URL: {
    schema: url("http:", "https:"),
    aliases: ["CHATSDK_API_URL", "EXPO_PUBLIC_API_URL"],
    byDefault: "http://127.0.0.1:8787",
  },
  PARTY_URL: {
    schema: url("http:", "https:"),
    aliases: ["PARTYKIT_HOST"],
    byDefault: "http://127.0.0.1:1999",
  },
  PORT: { schema: int(1, 65_535), byDefault: "8787" },
  APP_ID: {
    schema: AppId,
    byDefault: "demo",
  },
  CHAT_DRIVER: {
    schema: z.enum(["native", "stream"]),
    byDefault: "native",
  },
  CHAT_JWT_SECRET: {
    schema: secret,
    aliases: ["JWT_SECRET"],
    secret: true,
  },
  CHAT_JWT_SECRET_PREVIOUS: {
    schema: secret,
    secret: true,
  },
  SECRETS_ROTATED_AT: {
    schema: z.iso.date("must be a date like 2026-01-31"),
  },
  TOKEN_TTL_SECONDS: {
    schema: int(60, 86_400),
    byDefault: "86400",
  },
  CLERK_JWT_ISSUER: {
    schema: url("http:", "https:"),
    aliases: ["OIDC_ISSUER", "CLERK_FRONTEND_API"],
    // Clerk's old name held a bare host.
    read: (raw) => (raw.includes("://") ? raw : `https://${raw}`),
  },
  CLERK_JWKS_URL: {
    schema: url("http:", "https:"),
    aliases: ["OIDC_JWKS_URL"],
  },
  CLERK_AUTHORIZED_PARTIES: {
    schema: list,
  },
  CLERK_AUDIENCE: {
    schema: text,
  },
  CLERK_SECRET_KEY: {
    schema: text,
    aliases: ["CLERK_API_KEY"],
    secret: true,
  },
  CLERK_API_URL: {
    schema: url("http:", "https:"),
    byDefault: "https://api.clerk.com",
  },
  CLERK_PUBLISHABLE_KEY: {
    schema: text,
    aliases: ["EXPO_PUBLIC_CLERK_PUBLISHABLE_KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"],
  },
  LOCAL_ISSUER: {
    schema: url("http:"),
  },
  STREAM_API_KEY: {
    schema: text,
    aliases: ["NEXT_PUBLIC_STREAM_CHAT_API_KEY", "EXPO_PUBLIC_STREAM_API_KEY"],
  },
  STREAM_API_SECRET: {
    schema: text,
    aliases: ["STREAM_CHAT_API_SECRET"],
    secret: true,
  },
  STREAM_CHAT_BASE_URL: {
    schema: url("http:", "https:"),
    byDefault: "https://chat.stream-io-api.com",
  },
  STREAM_CHAT_TIMEOUT: {
    schema: int(100, 60_000),
    byDefault: "10000",
  },
  ENABLE_LOGGING: {
    schema: bool,
    aliases: ["STREAM_CHAT_ENABLE_LOGGING"],
    byDefault: "false",
  },
  DATABASE_URL: {
    schema: url("postgres:", "postgresql:"),
    secret: true,
  },
  NEON_FETCH_ENDPOINT: {
    schema: url("http:", "https:"),
  },
  UPSTASH_REDIS_REST_URL: { schema: url("http:", "https:") },
  UPSTASH_REDIS_REST_TOKEN: {
    schema: text,
    secret: true,
  },
  REDIS_URL: {
    schema: url("redis:", "rediss:"),
    secret: true,
  },
  ALLOWED_ORIGINS: {
    schema: list,
  },
  ROOMS_AUTO_CREATE: {
    schema: bool,
  },
  RATE_LIMIT_WINDOW_MS: {
    schema: int(1_000, 3_600_000),
    byDefault: "60000",
  },
  RATE_LIMIT_MAX_MESSAGES: {
    schema: int(1, 100_000),
    byDefault: "30",
  },
  TOKEN_RATE_LIMIT: {
    schema: int(1, 100_000),
    byDefault: "10",
  },
  CHANNEL_RATE_LIMIT: {
    schema: int(1, 100_000),
    byDefault: "60",
  },
  MANAGE_RATE_LIMIT: {
    schema: int(1, 1_000_000),
    byDefault: "120",
  },
  READ_RATE_LIMIT: {
    schema: int(1, 1_000_000),
    byDefault: "600",
  },
  MAX_MESSAGE_LENGTH: {
    schema: int(1, LIMITS.messageMaxCodePoints * 4),
    byDefault: "1000",
  },
  ENABLE_MODERATION: {
    schema: bool,
    byDefault: "false",
  },
  CHATSDK_API_KEY: {
    schema: text,
    secret: true,
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
  if (production && settings.CLERK_JWT_ISSUER !== undefined && !settings.CLERK_AUTHORIZED_PARTIES?.length)
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
