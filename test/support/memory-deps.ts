import type { Hono } from "hono";
import type { JWTPayload } from "jose";
import { createApiKey, type KeyEnvironment } from "../../domain/api-keys.ts";
import { signChatToken, type TokenKind } from "../../domain/chat-tokens.ts";
import { userIdentity } from "../../domain/callers.ts";
import { readConfig } from "../../domain/config.ts";
import type { Deps } from "../../domain/deps.ts";
import type { RoomEvent } from "../../domain/ports/history.ts";
import type { KeySetCache } from "../../domain/ports/key-set-cache.ts";
import type { LimitAnswer, Limiter, LimitPolicyName } from "../../domain/ports/limiter.ts";
import type { PresenceBoard } from "../../domain/ports/presence-board.ts";
import type { Restriction, RestrictionBoard } from "../../domain/ports/restrictions.ts";
import type { RoomLink, RoomPresenceRecord, RoomTail } from "../../domain/ports/room-link.ts";
import type { Store } from "../../domain/ports/store.ts";
import type { PersonOrder, RoomOrder } from "../../domain/orders.ts";
import { UNRESTRICTED } from "../../domain/restriction.ts";
import { createApp } from "../../functions/app.ts";
import { limitPolicies } from "../../functions/limit-policies.ts";
import { createLog } from "../../functions/log.ts";
import { createDeps } from "../../functions/service.ts";
import { ChatError, type ErrorCode } from "../../protocol/errors.ts";
import { AppId, type ChannelId, UserId } from "../../protocol/ids.ts";
import { KeyServer, type SigningKey, createSigningKey, signWith } from "./key-server.ts";
import { createMemoryStore } from "./memory-store.ts";

export const START = Date.UTC(2026, 0, 5, 12, 0, 0);
export const APP = AppId.parse("demo");
export const alice = UserId.parse("alice");
export const bob = UserId.parse("bob");
export const PAGE_ORIGIN = "https://app.example.com";

/** A clock that stands still until a test moves it. */
export interface Clock {
  now: () => number;
  advance: (ms: number) => void;
}

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

export function createClock(start: number = START): Clock {
  let now = start;
  return { now: () => now, advance: (ms) => void (now += ms) };
}

export class MemoryKeySets implements KeySetCache {
  readonly entries = new Map<string, { jwks: unknown; fetchedAt: number }>();
  isDown = false;
  async load(issuer: string): Promise<{ jwks: unknown; fetchedAt: number } | undefined> {
    if (this.isDown) throw new ChatError("storage_unavailable");
    return structuredClone(this.entries.get(issuer));
  }
  async save(issuer: string, entry: { jwks: unknown; fetchedAt: number }): Promise<void> {
    if (this.isDown) throw new ChatError("storage_unavailable");
    this.entries.set(issuer, structuredClone(entry));
  }
}

/** Rooms that say what a test tells them, and count how often they are asked. */
export class MemoryRooms implements RoomLink {
  readonly tails = new Map<string, RoomTail>();
  readonly presences = new Map<string, RoomPresenceRecord>();
  isDown = false;
  asked = 0;
  /** Every order, in turn: of rooms by their name, of people everywhere. */
  readonly orders: { to: string; order: RoomOrder | PersonOrder }[] = [];

  /** Of who is removed: that history may not have known of their joining. */
  hadJoined = false;

  async orderRoom(app: AppId, id: ChannelId, order: RoomOrder): Promise<{ hadJoined: boolean }> {
    this.#ask();
    this.orders.push({ to: `${app}:${id}`, order });
    return { hadJoined: this.hadJoined };
  }
  async orderPerson(app: AppId, order: PersonOrder): Promise<void> {
    this.#ask();
    this.orders.push({ to: app, order });
  }
  /** Channels whose room was told of new lists. */
  readonly told: string[] = [];
  async tellLists(app: AppId, id: ChannelId): Promise<void> {
    this.#ask();
    this.told.push(`${app}:${id}`);
  }
  async readTail(app: AppId, id: ChannelId): Promise<RoomTail> {
    this.#ask();
    return this.tails.get(`${app}:${id}`) ?? { epoch: "e1", head: 0, storedSeq: 0, isMember: false, events: [] };
  }
  async readPresence(app: AppId, id: ChannelId): Promise<RoomPresenceRecord> {
    this.#ask();
    return this.presences.get(`${app}:${id}`) ?? { isMember: false, memberCount: 0, online: [] };
  }
  async ping(): Promise<void> {
    this.#ask();
  }
  #ask(): void {
    this.asked += 1;
    if (this.isDown) throw new ChatError("rooms_unavailable");
  }
}

export class MemoryBoard implements PresenceBoard {
  readonly seen = new Map<string, { online: boolean; lastSeenAt: Date | null }>();
  async findUserPresence(app: AppId, userId: UserId): Promise<{ online: boolean; lastSeenAt: Date | null }> {
    return this.seen.get(`${app}:${userId}`) ?? { online: false, lastSeenAt: null };
  }
  async reportPresence(): Promise<void> {}
}

/** What stands beside the store, where the limiter finds it. */
export class MemoryRestrictions implements RestrictionBoard {
  readonly saved = new Map<string, Restriction>();
  isDown = false;
  async saveRestriction(app: AppId, userId: UserId, restriction: Restriction): Promise<void> {
    if (this.isDown) throw new ChatError("storage_unavailable");
    this.saved.set(userIdentity(app, userId), structuredClone(restriction));
  }
}

/** Counts in fixed windows, by the standing clock. */
export class MemoryLimiter implements Limiter {
  readonly #policies: Record<LimitPolicyName, { limit: number; windowSeconds: number }>;
  readonly #now: () => number;
  readonly #counts = new Map<string, { startedAt: number; count: number }>();
  isDegraded = false;
  /** Every identity that was counted, by policy. */
  readonly taken: { policy: LimitPolicyName; identity: string }[] = [];

  readonly #restrictions: MemoryRestrictions;

  constructor(
    policies: Record<LimitPolicyName, { limit: number; windowSeconds: number }>,
    now: () => number,
    restrictions: MemoryRestrictions,
  ) {
    this.#policies = policies;
    this.#now = now;
    this.#restrictions = restrictions;
  }

  async take(policy: LimitPolicyName, identity: string): Promise<LimitAnswer> {
    this.taken.push({ policy, identity });
    const { limit, windowSeconds } = this.#policies[policy];
    const key = JSON.stringify([policy, identity]);
    const known = this.#counts.get(key);
    const isOver = known === undefined || this.#now() - known.startedAt >= windowSeconds * 1_000;
    const window = isOver ? { startedAt: this.#now(), count: 0 } : known;
    window.count += 1;
    this.#counts.set(key, window);
    return {
      allowed: window.count <= limit,
      limit,
      windowSeconds,
      remaining: Math.max(0, limit - window.count),
      resetSeconds: windowSeconds - (this.#now() - window.startedAt) / 1_000,
      degraded: this.isDegraded,
      restriction: this.isDegraded ? undefined : (this.#restrictions.saved.get(identity) ?? UNRESTRICTED),
    };
  }
}

export function roomEvent(seq: number, fields: Partial<RoomEvent> = {}): RoomEvent {
  return {
    seq,
    epoch: "e1",
    kind: "message",
    id: `msg-${seq}`,
    userId: alice,
    username: "Alice",
    clientMessageId: null,
    content: `message ${seq}`,
    at: START + seq,
    ...fields,
  };
}

export function bearer(token: string, headers: Record<string, string> = {}): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}`, ...headers } };
}

export function jsonBody(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  };
}

/** The status and code of an answer that has to be a problem. */
export async function problemOf(response: Response): Promise<{ status: number; code: ErrorCode }> {
  const { code } = (await response.json()) as { code: ErrorCode };
  return { status: response.status, code };
}
