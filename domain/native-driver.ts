import { signChatToken, type TokenKeys } from "./chat-tokens.ts";
import type { ChatDriver } from "./driver.ts";
import type { ChannelStore } from "./ports.ts";

/** Parley's own rooms: our tokens, our channels. */
export function createNativeDriver(
  tokenKeys: TokenKeys,
  publicUrl: string,
  store: Pick<ChannelStore, "createChannel">,
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
    createChannel: (channel) => store.createChannel(channel),
  };
}
