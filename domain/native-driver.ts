import { signChatToken, type TokenKeys } from "./chat-tokens.ts";
import type { ChatDriver } from "./driver.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { ChannelStore } from "./ports/channels.ts";

// The creator and everybody one request can name.
const MEMBERS_TOLD = LIMITS.membersPerCreate + 1;

/** Parley's own rooms: our tokens, our channels. */
export function createNativeDriver(
  tokenKeys: TokenKeys,
  publicUrl: string,
  store: Pick<ChannelStore, "createChannel" | "listMembers">,
): ChatDriver {
  const wsUrl = `${publicUrl.replace(/^http/, "ws").replace(/\/+$/, "")}/ws`;
  return {
    async issueTokens(holder) {
      const [token, wsToken] = await Promise.all([
        signChatToken(tokenKeys, "rest", holder),
        signChatToken(tokenKeys, "ws", holder),
      ]);
      return { token, wsToken, wsUrl };
    },
    async createChannel(wanted) {
      const { channel, created } = await store.createChannel(wanted);
      const { count, userIds } = await store.listMembers(channel.app, channel.id, MEMBERS_TOLD);
      return { channel, created, memberCount: count, userIds };
    },
  };
}
