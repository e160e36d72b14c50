import { readConfig, type SettingName, type Variables } from "../domain/config.ts";
import { findRaw } from "./settings-table.ts";
import {
  checkAddress,
  checkApiKey,
  checkClerkKey,
  checkDatabase,
  checkIssuer,
  checkOrigins,
  checkParties,
  checkRotation,
  checkSecret,
  checkStreamKey,
  ok,
  stop,
  type Verdict,
  warn,
} from "./value-checks.ts";

/** What one check of the production guide found. */
export interface Finding extends Verdict {
  name: string;
}

type Read = (name: SettingName) => string | undefined;
interface Rule {
  name: string;
  check: (read: Read, now: Date) => Verdict | undefined;
}

/**
 * Judges an environment as if it were about to serve production. Findings name settings and never show a value.
 * A setting that cannot be read at all is a finding too.
 */
export function checkProduction(variables: Variables, now: Date): Finding[] {
  const read: Read = (name) => findRaw(variables, name)?.raw;
  const { problems } = readConfig({ ...variables, ENVIRONMENT: "production", STREAM_CHAT_ENVIRONMENT: undefined });
  const unreadable = problems.map(({ name, problem }) => ({ name, ...stop(problem) }));
  const broken = new Set(problems.map(({ name }) => name));
  const judged = RULES.filter(({ name }) => !broken.has(name)).flatMap(({ name, check }) => {
    const verdict = check(read, now);
    return verdict === undefined ? [] : [{ name, ...verdict }];
  });
  return [...unreadable, ...publicNames(variables), ...judged];
}

const RULES: Rule[] = [
  {
    name: "ENVIRONMENT",
    check: (read) =>
      read("ENVIRONMENT")?.toLowerCase() === "production"
        ? ok("is production, so every safety check is a hard stop")
        : stop("is not production: set ENVIRONMENT=production, or test doors stay open"),
  },
  {
    name: "DEV_MODE",
    check: (read) =>
      isOn(read("DEV_MODE")) ? stop("must not be true") : ok("is off: only the real issuer can sign people in"),
  },
  {
    name: "ENABLE_MODERATION",
    check: (read) => (isOn(read("ENABLE_MODERATION")) ? ok("is on: rooms filter what is written in them") : undefined),
  },
  { name: "CHAT_JWT_SECRET", check: (read) => checkSecret(read("CHAT_JWT_SECRET"), 32) ?? stop("is missing") },
  {
    name: "CHAT_JWT_SECRET_PREVIOUS",
    check: (read) => {
      const found = checkSecret(read("CHAT_JWT_SECRET_PREVIOUS"), 32);
      return found?.level === "ok"
        ? warn("is still accepted: remove it a day after the rotation, when the last old token has expired")
        : found;
    },
  },
  { name: "DATABASE_URL", check: (read) => checkDatabase(read("DATABASE_URL")) ?? stop("is missing") },
  { name: "NEON_FETCH_ENDPOINT", check: (read) => checkAddress(read("NEON_FETCH_ENDPOINT")) },
  {
    name: "UPSTASH_REDIS_REST_URL",
    check: (read) => checkAddress(read("UPSTASH_REDIS_REST_URL")) ?? stop("is missing"),
  },
  {
    name: "UPSTASH_REDIS_REST_TOKEN",
    check: (read) => checkSecret(read("UPSTASH_REDIS_REST_TOKEN"), 20) ?? stop("is missing"),
  },
  { name: "PUBLIC_URL", check: (read) => checkAddress(read("PUBLIC_URL") ?? "http://127.0.0.1:8787") },
  { name: "PARTY_URL", check: (read) => checkAddress(read("PARTY_URL") ?? "http://127.0.0.1:1999") },
  { name: "ALLOWED_ORIGINS", check: (read) => checkOrigins(read("ALLOWED_ORIGINS")) },
  { name: "CLERK_JWT_ISSUER", check: (read) => checkIssuer(read("CLERK_JWT_ISSUER")) },
  {
    name: "CLERK_AUTHORIZED_PARTIES",
    check: (read) => checkParties(read("CLERK_JWT_ISSUER"), read("CLERK_AUTHORIZED_PARTIES")),
  },
  { name: "CLERK_SECRET_KEY", check: (read) => checkClerkKey(read("CLERK_SECRET_KEY"), "sk") },
  { name: "CLERK_PUBLISHABLE_KEY", check: (read) => checkClerkKey(read("CLERK_PUBLISHABLE_KEY"), "pk") },
  { name: "CHATSDK_API_KEY", check: (read) => checkApiKey(read("CHATSDK_API_KEY")) },
  {
    name: "STREAM_API_KEY",
    check: (read) => whenStream(read, () => checkStreamKey(read("STREAM_API_KEY")) ?? stop("is missing")),
  },
  {
    name: "STREAM_API_SECRET",
    check: (read) => whenStream(read, () => checkSecret(read("STREAM_API_SECRET"), 32) ?? stop("is missing")),
  },
  {
    name: "STREAM_CHAT_BASE_URL",
    check: (read) => whenStream(read, () => checkAddress(read("STREAM_CHAT_BASE_URL"))),
  },
  {
    name: "ENABLE_LOGGING",
    check: (read) => (isOn(read("ENABLE_LOGGING")) ? warn("is on: every request and socket is logged") : undefined),
  },
  {
    name: "ROOMS_AUTO_CREATE",
    check: (read) =>
      isOn(read("ROOMS_AUTO_CREATE")) ? warn("is on: whoever joins an unknown room creates its channel") : undefined,
  },
  {
    name: "LOCAL_ISSUER",
    check: (read) =>
      read("LOCAL_ISSUER") === undefined ? undefined : warn("is set, and means nothing without DEV_MODE: remove it"),
  },
  { name: "SECRETS_ROTATED_AT", check: (read, now) => checkRotation(read("SECRETS_ROTATED_AT"), now) },
];

/** Variables that build tools copy into what browsers download must not carry a secret. */
function publicNames(variables: Variables): Finding[] {
  const secrets = (["CHAT_JWT_SECRET", "STREAM_API_SECRET", "CLERK_SECRET_KEY", "CHATSDK_API_KEY"] as const).flatMap(
    (name) => findRaw(variables, name)?.raw ?? [],
  );
  return Object.entries(variables).flatMap(([name, value]) => {
    if (!/^(NEXT_PUBLIC|EXPO_PUBLIC|VITE|REACT_APP|PUBLIC)_/.test(name) || typeof value !== "string") return [];
    const exposes = /SECRET|PRIVATE|PASSWORD/.test(name) || secrets.some((secret) => value.includes(secret));
    return exposes && value !== "" ? [{ name, ...stop("is built into pages, and holds a secret") }] : [];
  });
}

function whenStream(read: Read, check: () => Verdict | undefined): Verdict | undefined {
  return read("CHAT_DRIVER") === "stream" ? check() : undefined;
}

function isOn(raw: string | undefined): boolean {
  return ["true", "1", "yes", "on"].includes((raw ?? "").toLowerCase());
}
