import type { ChatLimits } from "./types.ts";

/** Longer than the server takes, or in a frame that would end the connection. */
export function isTooLong(text: string, { messageMaxLength, messageMaxBytes, frameMaxBytes }: ChatLimits): boolean {
  return (
    [...text].length > messageMaxLength ||
    bytesOf(text) > messageMaxBytes ||
    bytesOf(JSON.stringify(text)) > frameMaxBytes - 512
  );
}

/** In UTF-8; counted by hand, because not every React Native has a TextEncoder. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (const sign of text) bytes += sign[1] ? 4 : sign > "\u07ff" ? 3 : sign > "\x7f" ? 2 : 1;
  return bytes;
}
