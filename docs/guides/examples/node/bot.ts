import { ChatClient } from "parley";
import { createChatApi } from "../chat-api.ts";

// A member of a room that is a program: says "pong" to whoever says "!ping". It runs on a server, so it may hold the API
// key and make its own tokens.
const { CHATSDK_API_URL = "", CHATSDK_API_KEY = "", ROOM = "lobby" } = process.env;
const chat = createChatApi(CHATSDK_API_URL, CHATSDK_API_KEY);

const client = new ChatClient({
  apiUrl: CHATSDK_API_URL,
  getToken: () => chat.mintTokens({ id: "ping-bot", name: "Ping bot" }),
});
client.on("connection", ({ state, error }) => console.log(state, error?.message ?? ""));

// What was said before it came is in `room.messages`; this tells what comes after, and what it missed during a break.
const room = client.join(ROOM);
room.on("message", ({ userId, content }) => {
  if (userId === client.userId || content !== "!ping") return;
  room.send("pong").catch((error: unknown) => console.error("Not sent:", error));
});
process.once("SIGTERM", () => client.disconnect());
await client.connect();
