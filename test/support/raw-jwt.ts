import { createHmac, createSign, type KeyObject } from "node:crypto";

type Part = string | Uint8Array | object;

/** A JWT put together by hand, from parts that no library would make. `sign` gets what is to be signed. */
export function rawJwt(header: Part, payload: Part, sign: (input: string) => string): string {
  const input = `${encodePart(header)}.${encodePart(payload)}`;
  return `${input}.${sign(input)}`;
}

export function encodePart(part: Part): string {
  if (typeof part === "string" || part instanceof Uint8Array) return Buffer.from(part).toString("base64url");
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

export function signRsa(key: KeyObject | CryptoKey, hash = "SHA256"): (input: string) => string {
  return (input) =>
    createSign(hash)
      .update(input)
      .sign(key as KeyObject)
      .toString("base64url");
}

export function signHmac(secret: string | Uint8Array, hash = "sha256"): (input: string) => string {
  return (input) => createHmac(hash, secret).update(input).digest("base64url");
}
