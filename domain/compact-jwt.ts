import { base64url } from "jose";
import { ChatError } from "../protocol/errors.ts";
import { LIMITS } from "../protocol/limits.ts";

/** The three parts of a JWT, decoded but not believed: nothing here is verified yet. */
export interface UnverifiedJwt {
  header: Readonly<Record<string, unknown>>;
  payload: Readonly<Record<string, unknown>>;
}

const PART = /^[A-Za-z0-9_-]+$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Takes a compact JWT apart the strict way, before any key is touched: at most 8 KiB, exactly three canonical base64url
 * parts, JSON objects in UTF-8. Libraries are lenient here (padding, stray bits, line ends), which gives one token many
 * spellings and makes a cache or a deny list by token useless.
 *
 * @throws {ChatError} `token_malformed`
 */
export function readCompactJwt(token: string): UnverifiedJwt {
  if (token.length > LIMITS.tokenMaxChars) throw malformed();
  const parts = token.split(".", 4);
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) throw malformed();
  if (!isCanonical(signature)) throw malformed();
  return { header: readObject(header), payload: readObject(payload) };
}

function readObject(part: string): Record<string, unknown> {
  if (!isCanonical(part)) throw malformed();
  try {
    const value: unknown = JSON.parse(utf8.decode(base64url.decode(part)));
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed();
    return value as Record<string, unknown>; // a JSON object, as just checked
  } catch (cause) {
    throw malformed(cause);
  }
}

// The last character of a part has bits that decoding throws away; they must be zero, or two texts mean one token.
function isCanonical(part: string): boolean {
  if (!PART.test(part)) return false;
  const rest = part.length % 4;
  if (rest === 0) return true;
  if (rest === 1) return false;
  const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(part.charAt(part.length - 1));
  return rest === 2 ? (last & 15) === 0 : (last & 3) === 0;
}

function malformed(cause?: unknown): ChatError {
  return new ChatError("token_malformed", { cause });
}
