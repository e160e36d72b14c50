import type { ChannelRecord, NewChannel } from "./ports/channels.ts";
import type { AppId, UserId } from "../protocol/ids.ts";

/** Who gets tokens, and for how long. Times are milliseconds since 1970. */
export interface TokenHolder {
  userId: UserId;
  app: AppId;
  name: string | undefined;
  issuedAt: number;
  expiresAt: number;
}

export interface IssuedTokens {
  token: string;
  wsToken: string;
  wsUrl: string;
  /** The chat provider's public key, where clients need one. */
  apiKey?: string;
}

export interface CreatedChannel {
  channel: ChannelRecord;
  created: boolean;
  memberCount: number;
  /** The first members, ordered; all of them when there are `memberCount`. */
  userIds: UserId[];
}

/** What stands behind the token and channel routes: our own rooms, or the provider an app is still a customer of. */
export interface ChatDriver {
  issueTokens(holder: TokenHolder): Promise<IssuedTokens>;
  /** Creates the channel, or returns the one that has the id with `created: false`. */
  createChannel(channel: NewChannel): Promise<CreatedChannel>;
}
