import type { ConnectionReply } from "../protocol/http.ts";
import { UserId } from "../protocol/ids.ts";
import { signChatToken, verifyChatToken } from "./chat-tokens.ts";
import type { Deps } from "./deps.ts";
import { timedCheck } from "./timed-check.ts";

type TestDeps = Pick<Deps, "store" | "redis" | "rooms" | "tokenKeys" | "settings" | "now">;
type Step = ConnectionReply["steps"][number];

const LIMIT_MS = 5_000;
const TOKEN_LIFE_MS = 60_000;
const TESTER = UserId.parse("parley-probe");

/** Goes to every dependency and back, for whoever sets a deployment up, and says how long each took. */
export async function testConnection(deps: TestDeps): Promise<ConnectionReply> {
  const steps = await Promise.all([
    takeStep(deps, "postgres", "Check DATABASE_URL", (signal) => deps.store.ping(signal)),
    takeStep(deps, "redis", "Check UPSTASH_REDIS_REST_URL and its token", (signal) => deps.redis.ping(signal)),
    takeStep(deps, "room", "Check PARTY_URL, and that both halves have the same CHAT_JWT_SECRET", (signal) =>
      deps.rooms.ping(signal),
    ),
    takeStep(deps, "tokens", "Check CHAT_JWT_SECRET", () => signAndVerify(deps)),
  ]);
  return { ok: steps.every(({ ok }) => ok), steps, timestamp: new Date(deps.now()).toISOString() };
}

async function takeStep(
  { now }: TestDeps,
  name: Step["name"],
  hint: string,
  step: (signal: AbortSignal) => Promise<void>,
): Promise<Step> {
  const { ms, failed } = await timedCheck(now, LIMIT_MS, step);
  return failed ? { name, ok: false, ms, hint } : { name, ok: true, ms };
}

async function signAndVerify({ tokenKeys, settings, now }: TestDeps): Promise<void> {
  const issuedAt = now();
  const holder = {
    userId: TESTER,
    app: settings.APP_ID,
    name: undefined,
    issuedAt,
    expiresAt: issuedAt + TOKEN_LIFE_MS,
  };
  const { userId } = await verifyChatToken(tokenKeys, "rest", await signChatToken(tokenKeys, "rest", holder), issuedAt);
  if (userId !== TESTER) throw new Error("The token names somebody else");
}
