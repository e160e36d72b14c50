import { ChatError } from "../protocol/errors.ts";
import { parseJson } from "../protocol/json.ts";
import { LIMITS } from "../protocol/limits.ts";

const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/**
 * The JSON body of a request; undefined when there is none. Counts the bytes that really arrive, whatever the headers say.
 *
 * @throws {ChatError} `body_too_large`, `unsupported_media_type` (compressed bodies too), `bad_request` for what is not JSON
 *   or breaks off
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const length = request.headers.get("content-length");
  // Before the body is touched: on Workers a stream is made for it even where there is nothing to read.
  if (length === "0" || request.body === null) return undefined;
  if (Number(length ?? 0) > LIMITS.bodyMaxBytes) throw new ChatError("body_too_large");
  const bytes = await readBytes(request.body);
  if (bytes.length === 0) return undefined;
  if (!JSON_TYPE.test(request.headers.get("content-type") ?? "") || request.headers.has("content-encoding"))
    throw new ChatError("unsupported_media_type");
  const value = parseJson(decode(bytes));
  if (value === undefined) throw new ChatError("bad_request", { detail: "The body is not JSON we can take" });
  return value;
}

async function readBytes(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of arriving(body)) {
    size += chunk.byteLength;
    if (size > LIMITS.bodyMaxBytes) throw new ChatError("body_too_large");
    chunks.push(chunk);
  }
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

// A sender who goes away in the middle is no bug of ours.
async function* arriving(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw new ChatError("bad_request", { detail: "The body broke off", cause });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ChatError("bad_request", { detail: "The body is not UTF-8", cause });
  }
}
