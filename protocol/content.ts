import { ChatError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

const utf8 = new TextEncoder();

// C0 controls other than tab and line breaks, DEL and C1: nothing a person types, and NUL is refused by Postgres after the ack.
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
const COMBINING_RUN = /\p{M}{9,}/u;

/**
 * The text of a message as it will be kept: trimmed, and otherwise exactly as sent.
 *
 * @throws {ChatError} `bad_content` for empty text, controls, lone surrogates or runs of more than eight combining marks;
 *   `content_too_long` past `maxCodePoints` code points or 4 KiB of UTF-8.
 */
export function parseContent(raw: string, maxCodePoints: number = LIMITS.messageMaxCodePoints): string {
  const content = raw.trim();
  if (content === "") throw new ChatError("bad_content", { detail: "The message is empty" });
  if (!content.isWellFormed()) throw new ChatError("bad_content", { detail: "The message has a lone surrogate" });
  if (CONTROLS.test(content)) throw new ChatError("bad_content", { detail: "The message has control characters" });
  if (COMBINING_RUN.test(content))
    throw new ChatError("bad_content", { detail: "The message has more than 8 combining marks in a row" });
  // UTF-16 length is never below the count of code points, so most messages skip the two counts.
  if (content.length > maxCodePoints && [...content].length > maxCodePoints)
    throw new ChatError("content_too_long", { detail: `The message is longer than ${maxCodePoints} characters` });
  if (content.length > LIMITS.messageMaxBytes / 3 && utf8.encode(content).length > LIMITS.messageMaxBytes)
    throw new ChatError("content_too_long", { detail: `The message is longer than ${LIMITS.messageMaxBytes} bytes` });
  return content;
}

const INVISIBLE = /[\p{Cf}\p{Cc}\p{Co}\p{Cn}]/gu;

/**
 * A display name as it will be shown: NFC, without invisible or direction-changing characters, and of 100 code points at
 * most, cut between two letters as people see them. Names come from identity providers we do not control, so this mends
 * and never refuses.
 */
export function displayName(raw: string | undefined, fallback: string): string {
  const name = (raw ?? "")
    .toWellFormed()
    .normalize("NFC")
    .replace(INVISIBLE, "")
    .replace(/\p{M}{9,}/gu, "")
    .replace(/\s+/gu, " ")
    .trim();
  return cut(name) || fallback;
}

function cut(name: string): string {
  if (name.length <= LIMITS.nameMaxCodePoints) return name;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(name)) {
    if ([...kept, ...segment].length > LIMITS.nameMaxCodePoints) break;
    kept += segment;
  }
  return kept.trimEnd();
}

/**
 * An avatar's address, re-serialised.
 *
 * @throws {ChatError} `bad_url` unless it is https, without credentials, and at most 2,048 characters.
 */
export function parseImageUrl(raw: string): string {
  const url =
    raw.length <= LIMITS.urlMaxChars && !/[\s\\<>"'`]/.test(raw) && URL.canParse(raw) ? new URL(raw) : undefined;
  if (
    url === undefined ||
    url.protocol !== "https:" ||
    url.username !== "" ||
    url.password !== "" ||
    url.href.length > LIMITS.urlMaxChars
  )
    throw new ChatError("bad_url", { detail: 'Cannot take "image": must be an https address without credentials' });
  return url.href;
}
