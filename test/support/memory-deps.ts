import type { Hono } from "hono";
import type { JWTPayload } from "jose";
import { createApiKey, type KeyEnvironment } from "../../domain/api-keys.ts";
import { signChatToken, type TokenKind } from "../../domain/chat-tokens.ts";
import { readConfig } from "../../domain/config.ts";
import type { Deps } from "../../domain/deps.ts";
import type { Store } from "../../domain/ports/store.ts";
import { createApp } from "../../functions/app.ts";
import { limitPolicies } from "../../functions/limit-policies.ts";
import { createLog } from "../../functions/log.ts";
import { createDeps } from "../../functions/deps.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import { KeyServer, type SigningKey, createSigningKey, signWith } from "./key-server.ts";
import { type Clock, createClock } from "./clock.ts";
import { MemoryBoard, MemoryKeySets, MemoryLimiter, MemoryRestrictions, MemoryRooms } from "./memory-ports.ts";
import { createMemoryStore } from "./memory-store.ts";

export const APP = AppId.parse("demo");
export const alice = UserId.parse("alice");
export const bob = UserId.parse("bob");
export const PAGE_ORIGIN = "https://app.example.com";

/** The HTTP side of a deployment with everything but the network real: Maps for stores, a real key server, a clock. */
export interface MemoryDeps {
  deps: Deps;
  /** The deps' own, with what rooms may do as well. */
  store: Store;
  app: Hono;
  clock: Clock;
  keyServer: KeyServer;
  key: SigningKey;
  keySets: MemoryKeySets;
  rooms: MemoryRooms;
  board: MemoryBoard;
  limiter: MemoryLimiter;
  restrictions: MemoryRestrictions;
  /** Every line that was logged. */
  lines: string[];
  /** Waits until the work after the answers is done. */
  settle: () => Promise<void>;
  /** A session token as the identity provider signs it. */
  session: (claims?: JWTPayload, header?: Record<string, unknown>) => Promise<string>;
  /** A chat token of ours. */
  chatToken: (kind: TokenKind, userId?: UserId, app?: AppId) => Promise<string>;
  /** A new API key, in the store. */
  apiKey: (environment?: KeyEnvironment, app?: AppId) => Promise<string>;
  stop: () => Promise<void>;
}

let sharedKey: Promise<SigningKey> | undefined;

/** The key the tests sign with: made once, because making one takes a while. */
export function testKey(): Promise<SigningKey> {
  sharedKey ??= createSigningKey("key-1");
  return sharedKey;
}

const SECRETS = {
  CHAT_JWT_SECRET: "q8Zr3vKx0Lw7Ty2Bn5Mj9Hc4Fd6Gs1Pa",
  DATABASE_URL: "postgresql://parley:pw-canary-1@db.internal.example/parley",
  UPSTASH_REDIS_REST_URL: "https://redis.internal.example",
  UPSTASH_REDIS_REST_TOKEN: "redis-canary-token-1",
};

export async function createMemoryDeps(variables: Record<string, string> = {}): Promise<MemoryDeps> {
  const key = await testKey();
  const keyServer = await KeyServer.start(key);
  const report = readConfig({
    ...SECRETS,
    PUBLIC_URL: "https://chat.example.com",
    ENVIRONMENT: "test",
    CLERK_JWT_ISSUER: "https://issuer.example.com",
    CLERK_JWKS_URL: `${keyServer.url}/.well-known/jwks.json`,
    ALLOWED_ORIGINS: PAGE_ORIGIN,
    ...variables,
  });
  if (report.settings === undefined) throw new Error(JSON.stringify(report.problems));
  const settings = report.settings;
  const clock = createClock();
  const [keySets, rooms, board] = [new MemoryKeySets(), new MemoryRooms(), new MemoryBoard()];
  const restrictions = new MemoryRestrictions();
  const limiter = new MemoryLimiter(limitPolicies(settings), clock.now, restrictions);
  const lines: string[] = [];
  const later: Promise<unknown>[] = [];
  const store = createMemoryStore(() => new Date(clock.now()));
  const deps = await createDeps(settings, report, {
    store,
    redis: { ping: async () => {} },
    board,
    keySets,
    limiter,
    rooms,
    restrictions,
    fetch: (input, init) => fetch(input, init),
    now: clock.now,
    wait: async (ms) => clock.advance(ms),
    waitUntil: (work) => void later.push(work),
    log: createLog(settings, (line) => void lines.push(line)),
  });
  return {
    deps,
    store,
    app: createApp(deps),
    clock,
    keyServer,
    key,
    keySets,
    rooms,
    board,
    limiter,
    restrictions,
    lines,
    settle: async () => {
      while (later.length > 0) await later.shift();
    },
    session: (claims, header) => signWith(key, sessionClaims(clock.now(), claims), { header: header ?? {} }),
    chatToken: (kind, userId = alice, app = APP) =>
      signChatToken(deps.tokenKeys, kind, {
        userId,
        app,
        name: undefined,
        issuedAt: clock.now(),
        expiresAt: clock.now() + 3_600_000,
      }),
    apiKey: async (environment = "live", app = APP) => {
      const made = await createApiKey(app, environment, new Date(clock.now()));
      await deps.store.insertApiKey(made.record);
      return made.key;
    },
    stop: () => keyServer.stop(),
  };
}

/** The claims of a session token of alice's that is good now; what is given wins, and undefined takes a claim away. */
export function sessionClaims(now: number, claims: JWTPayload = {}): JWTPayload {
  const seconds = Math.floor(now / 1_000);
  const all = {
    iss: "https://issuer.example.com",
    sub: "alice",
    sid: "sess_1",
    azp: PAGE_ORIGIN,
    iat: seconds - 10,
    exp: seconds + 50,
    ...claims,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
