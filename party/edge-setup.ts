import { createTokenKeys, type TokenKeys } from "../domain/chat-tokens.ts";
import { readConfig, type Settings } from "../domain/config.ts";

export interface EdgeSetup {
  settings: Settings;
  tokenKeys: TokenKeys;
}

let lastEnv = "";
let lastSetup: Promise<EdgeSetup | undefined> | undefined;

/**
 * The settings and keys that an environment means; undefined when it must not serve. Kept for as long as the environment
 * stays the same, because PartyKit hands the same one in anew with every request.
 */
export function setUpEdge(env: Record<string, unknown>): Promise<EdgeSetup | undefined> {
  const text = JSON.stringify(env);
  if (lastSetup === undefined || text !== lastEnv) {
    lastEnv = text;
    lastSetup = setUp(env);
  }
  return lastSetup;
}

async function setUp(env: Record<string, unknown>): Promise<EdgeSetup | undefined> {
  const { settings } = readConfig(env);
  if (settings?.CHAT_JWT_SECRET === undefined) return undefined;
  const { PUBLIC_URL, CHAT_JWT_SECRET, CHAT_JWT_SECRET_PREVIOUS } = settings;
  return { settings, tokenKeys: await createTokenKeys(PUBLIC_URL, CHAT_JWT_SECRET, CHAT_JWT_SECRET_PREVIOUS) };
}
