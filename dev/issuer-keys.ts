import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import * as z from "zod";
import { writePrivateFile } from "./private-file.ts";

const StoredKey = z.object({ kty: z.literal("RSA"), kid: z.string() }).loose();
const StoredKeys = z.object({ current: StoredKey, previous: z.nullable(StoredKey) });

export interface IssuerKeys {
  current(): { kid: string; jwk: JWK };
  /** The public halves: the current key first, then the one it replaced. */
  published(): JWK[];
  /** Signs with a new key from now on. The old one stays published until the next rotation, unless `drop`. */
  rotate(options?: { drop?: boolean }): Promise<void>;
}

/** The local issuer's RS256 keys, kept in `dir` (mode 600) or, without one, in memory. */
export async function openIssuerKeys(dir?: string): Promise<IssuerKeys> {
  const file = dir === undefined ? undefined : join(dir, "issuer-keys.json");
  const save = async () => {
    if (file !== undefined) await writePrivateFile(file, `${JSON.stringify({ current, previous }, undefined, 2)}\n`);
  };
  const stored = file === undefined ? undefined : await load(file);
  let current: JWK = stored?.current ?? (await newKey());
  let previous: JWK | null = stored?.previous ?? null;
  if (stored === undefined) await save();
  return {
    current: () => ({ kid: String(current.kid), jwk: current }),
    published: () => [current, ...(previous === null ? [] : [previous])].map(publicHalf),
    rotate: async ({ drop = false } = {}) => {
      previous = drop ? null : current;
      current = await newKey();
      await save();
    },
  };
}

async function load(file: string): Promise<{ current: JWK; previous: JWK | null } | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const stored = StoredKeys.parse(JSON.parse(text));
    await importJWK(stored.current as JWK, "RS256");
    return stored;
  } catch (cause) {
    throw new Error(`Cannot read the issuer's keys in ${file}: delete it to get new ones`, { cause });
  }
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("RS256", { modulusLength: 2048, extractable: true });
  return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: "RS256", use: "sig" };
}

function publicHalf({ kty, kid, n, e }: JWK): JWK {
  return { kty, kid, alg: "RS256", use: "sig", n, e } as JWK; // an RSA key has all of these
}
