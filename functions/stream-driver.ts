import { SignJWT } from "jose";
import * as z from "zod/mini";
import type { ChatDriver, CreatedChannel } from "../domain/driver.ts";
import type { NewChannel } from "../domain/ports/channels.ts";
import { ChannelType, Custom } from "../protocol/http.ts";
import { UserId } from "../protocol/ids.ts";
import { createStreamClient, type StreamClient, type StreamClientDeps } from "./stream-client.ts";
import { createMissingUsers } from "./stream-users.ts";

// Types that Stream has of its own; our others are membership channels, as its "messaging" is.
const OWN_TYPES: ReadonlySet<ChannelType> = new Set<ChannelType>(["messaging", "livestream", "team"]);
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
 * documentation describes both. A user token carries `user_id`, `iat` and `exp`.
 */
export function createStreamDriver(deps: StreamClientDeps): ChatDriver {
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
    createChannel: async (wanted) => create(await createStreamClient(deps), wanted),
  };
}

async function create(client: StreamClient, wanted: NewChannel): Promise<CreatedChannel> {
  const type = OWN_TYPES.has(wanted.type) ? wanted.type : "messaging";
  const { channels } = await client.post(ChannelsAnswer, "/channels", {
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
  await createMissingUsers(client, [owner, ...members]);
  const made = await client.post(StreamChannel, `/channels/${type}/${wanted.id}/query`, {
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
  // Somebody else may have made it since we looked; the answer is then their channel, and says so only by its creator.
  return toCreated(wanted, made, made.channel.created_by.id === owner);
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
