import { parseApiKey } from "../domain/api-keys.ts";
import { isKnownSecret } from "./known-secrets.ts";

/** What one look at one value found. `stop` means production would not be safe. Never quotes the value. */
export interface Verdict {
  level: "ok" | "warn" | "stop";
  message: string;
}

const ROTATION_DAYS = 90;
const DAY_MS = 86_400_000;

export function checkDatabase(raw: string | undefined): Verdict | undefined {
  if (raw === undefined || !URL.canParse(raw)) return undefined;
  const { hostname, password } = new URL(raw);
  if (isLocal(hostname)) return stop("names this machine, which a Worker cannot reach");
  if (password === "" || isFiller(decodeURIComponent(password))) return stop("has a placeholder for a password");
  return ok("names a database elsewhere, with a password");
}

export function checkAddress(raw: string | undefined): Verdict | undefined {
  if (raw === undefined) return undefined;
  if (!URL.canParse(raw) || new URL(raw).protocol !== "https:") return stop("must be an https address");
  const { hostname } = new URL(raw);
  if (isLocal(hostname)) return stop("names this machine, which clients cannot reach");
  if (isPlaceholderHost(hostname)) return stop("is a placeholder for an address");
  if (isExample(hostname)) return warn("is a domain kept for examples");
  return ok("is an https address");
}

export function checkSecret(raw: string | undefined, minBytes: number): Verdict | undefined {
  if (raw === undefined) return undefined;
  if (isFiller(raw)) return stop("is a placeholder");
  if (isKnownSecret(raw)) return stop("stands in a public list of secrets, which attackers try first");
  if (bytes(raw) < minBytes) return stop(`has ${bytes(raw)} bytes, which is too short for a real one`);
  return ok(`has ${bytes(raw)} bytes and is no placeholder`);
}

export function checkOrigins(raw: string | undefined): Verdict | undefined {
  if (raw === undefined) return warn("is empty: only pages that PUBLIC_URL itself serves can call and connect");
  return checkOriginList(raw) ?? ok("lists exact https origins");
}

function checkOriginList(raw: string): Verdict | undefined {
  for (const item of raw.split(",").map((part) => part.trim())) {
    if (item === "*" || item.includes("*")) return stop("has a wildcard: list each origin exactly");
    if (!URL.canParse(item) || new URL(item).origin !== item)
      return stop('has an entry that is no origin: write it as "https://app.example.com", without a path or slash');
    const { protocol, hostname } = new URL(item);
    if (isLocal(hostname)) return stop("has an origin of a developer's machine");
    if (protocol !== "https:") return stop("has an origin that is not https");
  }
  return undefined;
}

export function checkIssuer(raw: string | undefined): Verdict | undefined {
  if (raw === undefined) return warn("is not set: people cannot sign in, only servers with an API key can mint tokens");
  const address = raw.includes("://") ? raw : `https://${raw}`;
  const found = checkAddress(address);
  if (found?.level !== "ok") return found;
  if (new URL(address).hostname.endsWith(".accounts.dev"))
    return stop("is a development instance of Clerk; use the production instance's own domain");
  if (address.endsWith("/")) return warn("ends in a slash; it is compared exactly with iss, and Clerk's has none");
  return ok("is an https issuer");
}

export function checkParties(issuer: string | undefined, raw: string | undefined): Verdict | undefined {
  if (raw === undefined)
    return issuer === undefined ? undefined : stop("must name the origins that may sign people in");
  return checkOriginList(raw) ?? ok("names the origins that may sign people in");
}

export function checkClerkKey(raw: string | undefined, prefix: "sk" | "pk"): Verdict | undefined {
  if (raw === undefined) return undefined;
  if (raw.startsWith(`${prefix}_test_`)) return stop("belongs to a development instance of Clerk");
  if (prefix === "pk" && raw.startsWith("sk_")) return stop("is a secret key, and this setting is told to every page");
  if (!raw.startsWith(`${prefix}_live_`)) return warn(`does not begin with ${prefix}_live_`);
  return ok("belongs to a production instance of Clerk");
}

// The environment is its own segment: forty-three random letters may well contain "dev".
export function checkApiKey(raw: string | undefined): Verdict | undefined {
  if (raw === undefined) return undefined;
  const key = parseApiKey(raw);
  if (key === undefined) return stop("is no API key: it looks like chatsdk_live_<id>_<secret>");
  return key.environment === "live" ? ok("is a live key") : stop("is a test key, which production refuses");
}

export function checkStreamKey(raw: string | undefined): Verdict | undefined {
  if (raw === undefined) return undefined;
  if (raw.length < 10) return stop("is shorter than 10 characters");
  if (isFiller(raw) || /(^|[^a-z0-9])(demo|test|dev)([^a-z0-9]|$)/i.test(raw)) return stop("is a demo or test key");
  if (!/^[a-z0-9]+$/.test(raw)) return stop("is no Stream key: those have only small letters and digits");
  return ok("has the form of a production key");
}

export function checkRotation(raw: string | undefined, now: Date): Verdict | undefined {
  if (raw === undefined) return warn(`is not set, so nobody can tell whether ${ROTATION_DAYS} days have passed`);
  const days = Math.floor((now.getTime() - Date.parse(raw)) / DAY_MS);
  if (Number.isNaN(days) || days < 0) return warn("is no past date like 2026-01-31");
  if (days > ROTATION_DAYS) return warn(`was ${days} days ago: rotate the secrets (every ${ROTATION_DAYS} days)`);
  return ok(`was ${days} days ago`);
}

function isFiller(raw: string): boolean {
  return (
    /^(your|my|change|replace|insert|example|sample|placeholder|demo|test|dev|todo|xxx)([\s_-]|$)|changeme|change-me|placeholder|^<.*>$/i.test(
      raw,
    ) ||
    ["password", "pass", "secret", "postgres", "admin", "root", "token"].includes(raw.toLowerCase()) ||
    /^(.)\1*$/.test(raw)
  );
}

function isLocal(hostname: string): boolean {
  return /^(localhost|127\.|0\.0\.0\.0|\[::1?\]|10\.|192\.168\.)|\.(localhost|local|internal)$/.test(hostname);
}

function isExample(hostname: string): boolean {
  return /(^|\.)example\.(com|org|net)$/.test(hostname);
}

function isPlaceholderHost(hostname: string): boolean {
  return /(^|\.)your-[a-z-]+\.[a-z.]+$/.test(hostname);
}

function bytes(raw: string | undefined): number {
  return new TextEncoder().encode(raw ?? "").length;
}

export function ok(message: string): Verdict {
  return { level: "ok", message };
}
export function warn(message: string): Verdict {
  return { level: "warn", message };
}
export function stop(message: string): Verdict {
  return { level: "stop", message };
}
