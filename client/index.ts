export { browserStorage } from "./browser-storage.ts";
export { ChatClient } from "./chat-client.ts";
export { ChatError, type ChatErrorCode } from "./chat-error.ts";
export { keepIn } from "./kept.ts";
export type { ChatRoom } from "./room.ts";
export type * from "./types.ts";
