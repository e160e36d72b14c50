import { request } from "node:http";
import { afterAll, beforeAll } from "vitest";
import { createTokenKeys, signChatToken, type TokenKeys, type TokenKind } from "../../domain/chat-tokens.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import type { StackHop } from "../../dev/stack.ts";
import { Proxies } from "../chaos/world/proxy/proxies.ts";
import { ChatSocket, type OpenOptions } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

/** Sockets of people whose tokens are signed here, at both doors of one stack. */

export let stack: Stack;
/** Stands between the gateway and the rooms. */
export const rooms = new Proxies();
let keys: TokenKeys;

/** A file's tests have one stack between them. */
export function openStackForFile(): void {
  beforeAll(async () => {
    const through = async (hop: StackHop, url: string) => (hop === "gateway" ? await rooms.open(hop, url) : url);
    stack = await startStack({ RATE_LIMIT_MAX_MESSAGES: "10000" }, { through });
    keys = await createTokenKeys(stack.apiUrl, stack.chatJwtSecret);
  });
  afterAll(async () => {
    await stack?.stop();
    await rooms.close();
  });
}

export const HOUR = 3_600_000;
export const tokenFor = (
  user: string,
  { kind = "ws", age = 0, app = "demo" }: { kind?: TokenKind; age?: number; app?: string } = {},
) =>
  signChatToken(keys, kind, {
    userId: UserId.parse(user),
    app: AppId.parse(app),
    name: user.toUpperCase(),
    issuedAt: Date.now() - age,
    expiresAt: Date.now() - age + HOUR,
  });
export const DOORS = ["gateway", "room"] as const;
export type Door = (typeof DOORS)[number];
export const urlOf = (door: Door, room = "lobby", query = ""): string =>
  door === "gateway" ? `${stack.wsUrl}?roomId=${room}${query}` : `${stack.roomUrl(room)}${query.replace("&", "?")}`;
export const enter = async (
  door: Door,
  user: string,
  room = "lobby",
  options: OpenOptions = {},
): Promise<ChatSocket> => {
  const headers = { authorization: `Bearer ${await tokenFor(user)}`, ...options.headers };
  const socket = new ChatSocket(urlOf(door, room), { ...options, headers });
  await socket.next("room_joined");
  return socket;
};
export const message = (roomId: string, n: number) => ({
  type: "message",
  roomId,
  content: `message ${n}`,
  clientMessageId: `message-${roomId}-${n}`,
});
export const contents = (socket: ChatSocket): string[] => socket.all("message").map(({ content }) => content);

/** An upgrade that is answered in HTTP. */
export const knock = (url: string, headers: Record<string, string>): Promise<{ status: number; code: string }> =>
  new Promise((resolve, reject) => {
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const sent = request(url.replace("ws:", "http:"), { headers: { ...upgrade, ...headers } }, (reply) => {
      let body = "";
      reply.on("data", (chunk) => (body += String(chunk)));
      reply.on("end", () => {
        const { code } = JSON.parse(body) as { code: string };
        resolve({ status: reply.statusCode ?? 0, code });
      });
    });
    sent.on("upgrade", (_reply, socket) => {
      socket.destroy();
      reject(new Error("The upgrade was let through"));
    });
    sent.on("error", reject);
    sent.end();
  });
