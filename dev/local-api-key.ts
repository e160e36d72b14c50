import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createApiKey, createKeyRing, verifyApiKey } from "../domain/api-keys.ts";
import type { KeyStore } from "../domain/ports/api-keys.ts";
import { ChatError } from "../protocol/errors.ts";
import type { AppId } from "../protocol/ids.ts";
import { writePrivateFile } from "./private-file.ts";

/** The local stack's API key: the one of the last start if the database still knows it, else a new one. */
export async function openLocalApiKey(store: KeyStore, app: AppId, stateDir: string): Promise<string> {
  const file = join(stateDir, "api-key");
  const kept = (await readFile(file, "utf8").catch(() => "")).trim();
  if (kept !== "" && (await isValid(store, kept, app))) return kept;
  const { key, record } = await createApiKey(app, "test", new Date());
  await store.insertApiKey(record);
  await writePrivateFile(file, `${key}\n`);
  return key;
}

async function isValid(store: KeyStore, key: string, app: AppId): Promise<boolean> {
  try {
    const holder = await verifyApiKey(createKeyRing({ store, environment: "development", now: Date.now }), key);
    return holder.app === app;
  } catch (error) {
    if (error instanceof ChatError && error.code === "invalid_api_key") return false;
    throw error;
  }
}
