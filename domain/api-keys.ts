import { ChatError } from "../protocol/errors.ts";
import type { AppId } from "../protocol/ids.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Settings } from "./config.ts";
import type { ApiKeyRecord, KeyStore } from "./ports/api-keys.ts";
import type { Now } from "./ports/clock.ts";

/** A server that called with an API key. It belongs to one app and acts for all of it. */
export interface KeyHolder {
  app: AppId;
  keyId: string;
}

export interface ParsedApiKey {
  environment: "live" | "test";
  id: string;
  secret: string;
}

type Characters = Pick<string, "length" | "charCodeAt">;

export type KeyEnvironment = ParsedApiKey["environment"];

interface Found {
  record: ApiKeyRecord | undefined;
  until: number;
}

/** What checking keys needs, made once: lookups are remembered in it. */
export interface KeyRing {
  store: Pick<KeyStore, "findApiKey">;
  environment: Settings["ENVIRONMENT"];
  now: Now;
  found: BoundedMap<string, Found>;
}

// A revoked key must stop within a minute (T13), so that is how long a lookup may be believed.
const KNOWN_MS = 60_000;
// Long enough to spare the store a flood of made-up ids, short enough that a new key works almost at once.
const UNKNOWN_MS = 5_000;
const REMEMBERED = 1_000;

const SHAPE = /^chatsdk_(live|test)_([a-z0-9]{12})_([A-Za-z0-9-]{43})$/;
const ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
const SECRET_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
// Compared against when there is no such key, so that both answers take the same steps.
const NO_HASH = "0".repeat(64);

const utf8 = new TextEncoder();

/** The keys of one isolate, none of them looked up yet. */
export function createKeyRing(deps: Omit<KeyRing, "found">): KeyRing {
  return { ...deps, found: new BoundedMap(REMEMBERED) };
}

/** Makes a key of 256 random bits. `key` is shown once and never kept; `record` is what the store keeps. */
export async function createApiKey(
  app: AppId,
  environment: KeyEnvironment,
  now: Date,
): Promise<{ key: string; record: ApiKeyRecord }> {
  const id = randomText(ID_ALPHABET, 12);
  const secret = randomText(SECRET_ALPHABET, 43);
  const record = { id, app, environment, hash: await hashSecret(secret), createdAt: now, revokedAt: null };
  return { key: `chatsdk_${environment}_${id}_${secret}`, record };
}

/** Takes a key apart; undefined for anything that cannot be one. */
export function parseApiKey(raw: string): ParsedApiKey | undefined {
  const [, environment, id, secret] = SHAPE.exec(raw) ?? [];
  if ((environment !== "live" && environment !== "test") || id === undefined || secret === undefined) return undefined;
  return { environment, id, secret };
}

/**
 * Checks a key by id and hash. The environment is read from its own segment: a secret may contain "dev" by chance.
 *
 * @throws {ChatError} `invalid_api_key` alike for malformed, unknown, wrong, revoked and wrong-environment keys;
 *   `storage_unavailable` when the store cannot be asked.
 */
export async function verifyApiKey(ring: KeyRing, raw: string): Promise<KeyHolder> {
  const parsed = parseApiKey(raw);
  if (parsed === undefined) throw new ChatError("invalid_api_key");
  const [record, hash] = await Promise.all([findRecord(ring, parsed.id), hashSecret(parsed.secret)]);
  const matches = isSameInConstantTime(hash, record?.hash ?? NO_HASH);
  if (record === undefined || !matches || record.revokedAt !== null || record.environment !== parsed.environment)
    throw new ChatError("invalid_api_key");
  if (record.environment === "test" && ring.environment === "production") throw new ChatError("invalid_api_key");
  return { app: record.app, keyId: record.id };
}

async function findRecord(ring: KeyRing, id: string): Promise<ApiKeyRecord | undefined> {
  const known = ring.found.get(id);
  if (known !== undefined && known.until > ring.now()) return known.record;
  const askedAt = ring.now();
  const record = await ring.store.findApiKey(id);
  ring.found.set(id, { record, until: askedAt + (record === undefined ? UNKNOWN_MS : KNOWN_MS) });
  return record;
}

async function hashSecret(secret: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8.encode(secret)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether two texts are the same, in a time that tells only how long `left` is: every character of it is compared. */
export function isSameInConstantTime(left: Characters, right: Characters): boolean {
  let difference = left.length ^ right.length;
  for (let at = 0; at < left.length; at++) difference |= left.charCodeAt(at) ^ right.charCodeAt(at);
  return difference === 0;
}

// Bytes past the last whole multiple of the alphabet are thrown away, or its first letters would come up more often.
function randomText(alphabet: string, length: number): string {
  const limit = 256 - (256 % alphabet.length);
  let text = "";
  while (text.length < length)
    for (const byte of crypto.getRandomValues(new Uint8Array(length)))
      if (byte < limit && text.length < length) text += alphabet.charAt(byte % alphabet.length);
  return text;
}
