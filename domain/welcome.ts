import type { ServerFrame } from "../protocol/frames.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Settings } from "./config.ts";

export type WelcomeSettings = Pick<Settings, "MAX_MESSAGE_LENGTH" | "RATE_LIMIT_MAX_MESSAGES" | "RATE_LIMIT_WINDOW_MS">;

/** The first frame of every socket. Times are milliseconds since 1970. */
export function welcomeFrame(
  settings: WelcomeSettings,
  { connectionId, userId, expiresAt }: { connectionId: string; userId: UserId; expiresAt: number },
  now: number,
): ServerFrame {
  return {
    type: "welcome",
    connectionId,
    userId,
    serverTime: new Date(now).toISOString(),
    limits: {
      messageMaxLength: settings.MAX_MESSAGE_LENGTH,
      messageMaxBytes: LIMITS.messageMaxBytes,
      frameMaxBytes: LIMITS.frameMaxBytes,
      messagesPerWindow: settings.RATE_LIMIT_MAX_MESSAGES,
      windowMs: settings.RATE_LIMIT_WINDOW_MS,
    },
    expiresAt: new Date(expiresAt).toISOString(),
  };
}
