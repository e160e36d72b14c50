import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import { ChatClient } from "../../client/chat-client.ts";
import type { ChatRoom } from "../../client/room.ts";
import type { ChatMessage, ChatTokens, RoomState } from "../../client/types.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
const clients: ChatClient[] = [];
beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_MAX_MESSAGES: "1000", TOKEN_RATE_LIMIT: "1000" });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});
afterAll(() => stack?.stop());

const platform = { WebSocket, random: () => Math.random() / 10 };

async function exchange(user: string): Promise<ChatTokens> {
  const authorization = `Bearer ${await stack.session(user)}`;
  const reply = await fetch(`${stack.apiUrl}/v1/token`, { method: "POST", headers: { authorization } });
  return (await reply.json()) as ChatTokens;
}

function clientOf(user: string): ChatClient {
  const client = new ChatClient({
    apiUrl: `${stack.apiUrl}/api`,
    wsUrl: stack.wsUrl,
    getToken: () => exchange(user),
    platform,
  });
  clients.push(client);
  return client;
}

function until(room: ChatRoom, holds: (state: RoomState) => boolean): Promise<RoomState> {
  return new Promise((resolve) => {
    const check = (state: RoomState): void => {
      if (!holds(state)) return;
      subscription.remove();
      resolve(state);
    };
    const subscription = room.on("change", check);
    check(room.state);
  });
}

const texts = (messages: readonly ChatMessage[]): string[] => messages.map(({ content }) => content);

it("S3-10 connects with {apiUrl, wsUrl, token, wsToken}, and two people talk, in one order", async () => {
  const { token, wsToken } = await exchange("ann");
  const ann = new ChatClient({ apiUrl: stack.apiUrl, wsUrl: stack.wsUrl, token, wsToken, platform });
  clients.push(ann);
  await ann.connect();
  expect(ann).toMatchObject({ connectionState: "online", userId: "ann" });
  const [room, theirs] = [ann.join("talk"), clientOf("ben").join("talk")];
  await clients[1]?.connect();
  await until(theirs, ({ status }) => status === "joined");
  const first = await room.send("hello");
  const second = await theirs.send("hello yourself");
  expect(second.seq).toBe(first.seq + 1);
  for (const side of [room, theirs])
    expect(texts((await until(side, ({ messages }) => messages.length === 2)).messages)).toEqual([
      "hello",
      "hello yourself",
    ]);
  expect((await until(room, ({ members }) => members.length === 2)).memberCount).toBe(2);
  theirs.typing();
  expect((await until(room, ({ typing }) => typing.length > 0)).typing).toMatchObject([{ userId: "ben" }]);
});

it("counts others' messages after the read mark as unread, and another device knows it", async () => {
  const [ann, ben] = [clientOf("cat"), clientOf("dan")];
  const [room, theirs] = [ann.join("unread"), ben.join("unread")];
  await Promise.all([ann.connect(), ben.connect()]);
  await until(room, ({ status }) => status === "joined");
  await theirs.send("one");
  await room.send("my own");
  await theirs.send("two");
  expect((await until(room, ({ messages, unread }) => messages.length === 3 && unread > 0)).unread).toBe(2);
  room.markRead(2);
  expect((await until(theirs, ({ readMarks }) => readMarks["cat"] !== undefined)).readMarks["cat"]).toBe(2);
  const phone = clientOf("cat");
  const again = phone.join("unread");
  await phone.connect();
  const state = await until(again, ({ messages, unread }) => messages.length === 3 && unread === 1);
  expect(state.readMarks["cat"]).toBe(2);
});

it("pages back through history, and fills what came while it was away from history and the room", async () => {
  const [writer, reader] = [clientOf("eve"), clientOf("fay")];
  const [room, view] = [writer.join("long"), reader.join("long")];
  await Promise.all([writer.connect(), reader.connect()]);
  const seen: number[] = [];
  view.on("message", ({ seq = 0 }) => seen.push(seq));
  await room.send("m1");
  await until(view, ({ head }) => head === 1);
  reader.disconnect();
  const sent = Array.from({ length: 620 }, (_, at) => room.send(`m${at + 2}`));
  await Promise.all(sent);
  await reader.connect();
  await until(view, ({ messages }) => messages.length === 621);
  expect(seen).toEqual(Array.from({ length: 621 }, (_, at) => at + 1));

  const later = clientOf("gus");
  const fresh = later.join("long");
  await later.connect();
  await until(fresh, ({ messages }) => messages.length === 50);
  expect(await fresh.history(200)).toBe(true);
  expect(fresh.messages[0]?.seq).toBe(621 - 249);
  while (await fresh.history(200));
  expect(fresh.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 621 }, (_, at) => at + 1));
});

it("loses nothing when the rooms' process is killed in mid-conversation", async () => {
  const client = clientOf("hal");
  const room = client.join("killed");
  await client.connect();
  await room.send("before");
  const sending = Array.from({ length: 20 }, (_, at) => room.send(`during ${at}`));
  await stack.rooms.kill();
  await stack.rooms.start();
  const places = await Promise.all(sending);
  expect(places.map(({ seq }) => seq)).toEqual(places.map((_, at) => at + 2));
  const state = await until(room, ({ messages }) => messages.filter(({ state }) => state === "sent").length === 21);
  expect(texts(state.messages)).toEqual(["before", ...sending.map((_, at) => `during ${at}`)]);
});

it("is in fifty rooms on one socket, is told that there is no place for another, and gets in when one has been left", async () => {
  const client = clientOf("ida");
  const rooms = Array.from({ length: LIMITS.roomsPerSocket + 1 }, (_, at) => client.join(`many-${at}`));
  const [first, last] = [rooms[0], rooms.at(-1)] as [ChatRoom, ChatRoom]; // 51 of them
  await client.connect();
  const { error } = await until(last, ({ status }) => status === "refused");
  expect(error).toMatchObject({ code: "forbidden", message: "At most 50 rooms on one socket" });
  await expect(last.send("into a room that is full")).rejects.toMatchObject({ code: "forbidden" });
  for (const room of rooms.slice(0, -1)) await until(room, ({ status }) => status === "joined");
  await Promise.all(rooms.slice(0, -1).map((room) => room.send("a word in each")));
  first.leave();
  await until(first, ({ status }) => status === "left");
  last.leave();
  client.join(last.id);
  await until(last, ({ status }) => status === "joined");
  expect(await last.send("now there is a place")).toMatchObject({ seq: 1 });
});

it("is turned away for good, once, with a token that is none", async () => {
  const told: unknown[] = [];
  const client = new ChatClient({ apiUrl: stack.apiUrl, token: "none", wsToken: "none", platform });
  clients.push(client);
  client.on("unauthorized", ({ error }) => told.push(error.message));
  await expect(client.connect()).rejects.toMatchObject({ code: "invalid_token" });
  expect(told).toHaveLength(1);
  expect(client.connectionState).toBe("stopped");
});
