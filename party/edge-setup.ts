import { createTokenKeys, type TokenKeys } from "../domain/chat-tokens.ts";
import { readConfig, type Settings } from "../domain/config.ts";

export interface EdgeSetup {
  settings: Settings;
  tokenKeys: TokenKeys;
}

let last: { env: string; setup: EdgeSetup | undefined } | undefined;

/**
 * The settings and keys that an environment means; undefined when it must not serve. Kept for as long as the environment
 * stays the same, because PartyKit hands the same one in anew with every request.
 */
export async function setUpEdge(env: Record<string, unknown>): Promise<EdgeSetup | undefined> {
  const text = JSON.stringify(env);
  if (last?.env === text) return last.setup;
  // The result is kept, not the promise of it: a promise ends with the request that made it when that is cancelled.
  const setup = await setUp(env);
  last = { env: text, setup };
  return setup;
}

async function setUp(env: Record<string, unknown>): Promise<EdgeSetup | undefined> {
  const { settings } = readConfig(env);
  if (settings?.CHAT_JWT_SECRET === undefined) return undefined;
  const { PUBLIC_URL, CHAT_JWT_SECRET, CHAT_JWT_SECRET_PREVIOUS } = settings;
  return { settings, tokenKeys: await createTokenKeys(PUBLIC_URL, CHAT_JWT_SECRET, CHAT_JWT_SECRET_PREVIOUS) };
}
