import { SignJWT } from "jose";
import * as z from "zod/mini";
import type { Settings } from "../domain/config.ts";
import type { ChatDriver, CreatedChannel } from "../domain/driver.ts";
import type { NewChannel, Now } from "../domain/ports.ts";
import { ChatError } from "../protocol/errors.ts";
import { ChannelType, Custom } from "../protocol/http.ts";
import { UserId } from "../protocol/ids.ts";

export interface StreamDriverDeps {
  settings: Pick<Settings, "STREAM_API_KEY" | "STREAM_API_SECRET" | "STREAM_CHAT_BASE_URL" | "STREAM_CHAT_TIMEOUT">;
  fetch: typeof fetch;
  now: Now;
}

// Types that Stream has of its own; our others are membership channels, as its "messaging" is.
const OWN_TYPES: ReadonlySet<ChannelType> = new Set<ChannelType>(["messaging", "livestream", "team"]);
const SERVER_TOKEN_SECONDS = 60;
// Stream wants a user behind every channel; a channel that an app's server makes belongs to this one.
const APP_USER_PREFIX = "parley-app-";

const StreamChannel = z.object({
  channel: z.object({
    type: z.string(),
    created_at: z.string(),
    created_by: z.object({ id: z.string() }),
    name: z.optional(z.string()),
    parley_type: z.optional(ChannelType),
    parley_custom: z.optional(Custom),
  }),
  members: z.array(z.object({ user_id: z.string() })),
});
type StreamChannel = z.infer<typeof StreamChannel>;
const ChannelsAnswer = z.object({ channels: z.array(StreamChannel) });

const utf8 = new TextEncoder();

/**
 * For apps that are Stream customers: their clients' tokens, and channels made through Stream's REST API, as its public
 * documentation describes both. A user token carries `user_id`, `iat` and `exp`; a server token carries neither user nor
 * rights but `server: true`. Requests name the app by `api_key` and say `Stream-Auth-Type: jwt`.
 */
export function createStreamDriver(deps: StreamDriverDeps): ChatDriver {
  const { STREAM_API_KEY: apiKey = "", STREAM_API_SECRET: secret = "", STREAM_CHAT_BASE_URL: baseUrl } = deps.settings;
  const key = utf8.encode(secret);
  const wsUrl = `${baseUrl.replace(/^http/, "ws").replace(/\/+$/, "")}/connect`;
  return {
    async issueTokens({ userId, issuedAt, expiresAt }) {
      const token = await new SignJWT({ user_id: userId })
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setIssuedAt(issuedAt / 1_000)
        .setExpirationTime(expiresAt / 1_000)
        .sign(key);
      return { token, wsToken: token, wsUrl, apiKey };
    },
    async createChannel(wanted) {
      const ask = await createClient(deps, apiKey, key);
      return create(ask, wanted);
    },
  };
}

type Ask = <Answer>(schema: z.ZodMiniType<Answer>, path: string, body: unknown) => Promise<Answer>;

async function create(ask: Ask, wanted: NewChannel): Promise<CreatedChannel> {
  const type = OWN_TYPES.has(wanted.type) ? wanted.type : "messaging";
  const { channels } = await ask(ChannelsAnswer, "/channels", {
    filter_conditions: { cid: `${type}:${wanted.id}` },
    state: true,
    watch: false,
    presence: false,
    limit: 1,
  });
  const [there] = channels;
  if (there !== undefined) return toCreated(wanted, there, false);
  const owner = toStreamUser(wanted.createdBy);
  const members = wanted.createdBy === owner ? [owner, ...wanted.members] : [...wanted.members];
  await ask(z.unknown(), "/users", { users: Object.fromEntries([owner, ...members].map((id) => [id, { id }])) });
  const made = await ask(StreamChannel, `/channels/${type}/${wanted.id}/query`, {
    data: {
      name: wanted.name,
      created_by_id: owner,
      members: [...new Set(members)],
      // Under a name of their own: an app's data must not pass for one of Stream's fields.
      parley_type: wanted.type,
      parley_custom: wanted.custom,
    },
    state: true,
    watch: false,
    presence: false,
  });
  return toCreated(wanted, made, true);
}

function toCreated(wanted: NewChannel, { channel, members }: StreamChannel, created: boolean): CreatedChannel {
  const type = ChannelType.safeParse(channel.type);
  const userIds = members.map((member) => member.user_id).filter((id): id is UserId => UserId.safeParse(id).success);
  return {
    channel: {
      app: wanted.app,
      id: wanted.id,
      type: channel.parley_type ?? (type.success ? type.data : "messaging"),
      name: channel.name ?? wanted.id,
      createdBy: fromStreamUser(channel.created_by.id),
      custom: channel.parley_custom ?? {},
      createdAt: new Date(channel.created_at),
      epoch: null,
      headSeq: 0,
    },
    created,
    memberCount: userIds.length,
    userIds: userIds.toSorted(),
  };
}

function toStreamUser(createdBy: string): string {
  return createdBy.startsWith("app:") ? APP_USER_PREFIX + createdBy.slice("app:".length) : createdBy;
}

function fromStreamUser(id: string): string {
  return id.startsWith(APP_USER_PREFIX) ? `app:${id.slice(APP_USER_PREFIX.length)}` : id;
}

/** One time limit for all the requests that a caller of ours waits for. */
async function createClient({ settings, fetch, now }: StreamDriverDeps, apiKey: string, key: Uint8Array): Promise<Ask> {
  const { STREAM_CHAT_BASE_URL, STREAM_CHAT_TIMEOUT } = settings;
  const signal = AbortSignal.timeout(STREAM_CHAT_TIMEOUT);
  const token = await new SignJWT({ server: true })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setExpirationTime(Math.floor(now() / 1_000) + SERVER_TOKEN_SECONDS)
    .sign(key);
  const base = STREAM_CHAT_BASE_URL.replace(/\/+$/, "");
  return async (schema, path, body) => {
    try {
      const response = await fetch(`${base}${path}?api_key=${encodeURIComponent(apiKey)}`, {
        method: "POST",
        headers: { authorization: token, "stream-auth-type": "jwt", "content-type": "application/json" },
        body: JSON.stringify(body),
        redirect: "manual",
        signal,
      });
      if (response.status === 400)
        throw new ChatError("bad_request", { detail: "The chat provider refuses that channel" });
      if (!response.ok) throw new Error(`the chat provider answered ${response.status}`);
      return z.parse(schema, await response.json());
    } catch (cause) {
      throw cause instanceof ChatError ? cause : new ChatError("driver_unavailable", { cause });
    }
  };
}
