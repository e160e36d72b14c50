export { ChatClient } from "./chat-client.ts";
export { ChatError, type ChatErrorCode } from "./chat-error.ts";
export type { ChatRoom } from "./room.ts";
export { browserStorage, keepIn } from "./storage.ts";
export type * from "./channels.ts";
export type * from "./types.ts";
