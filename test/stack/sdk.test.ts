import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { ChatClient } from "../../client/chat-client.ts";
import type { ChatRoom } from "../../client/room.ts";
import type { ChatMessage, ChatPlatform, ChatTokens } from "../../client/types.ts";
import { createTokenKeys, signChatToken } from "../../domain/chat-tokens.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import { ChatSocket } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

const PATIENCE_MS = 30_000;
const LIFE_SECONDS = 3_600;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_MAX_MESSAGES: "100000", READ_RATE_LIMIT: "100000", TOKEN_RATE_LIMIT: "1000" });
});
afterAll(() => stack?.stop());

/** Tokens as a backend would give them. */
async function tokensFor(user: string, expiresIn = LIFE_SECONDS): Promise<ChatTokens> {
  const keys = await createTokenKeys(stack.apiUrl, stack.chatJwtSecret);
  const issuedAt = Date.now();
  const claims = { userId: UserId.parse(user), app: AppId.parse("demo"), name: undefined, issuedAt };
  const sign = (kind: "ws" | "rest") =>
    signChatToken(keys, kind, { ...claims, expiresAt: issuedAt + expiresIn * 1_000 });
  return { token: await sign("rest"), wsToken: await sign("ws"), expiresIn, userId: user };
}

/** A client on a device whose network can be taken away. */
interface Device {
  client: ChatClient;
  /** What was told in `message`, for all rooms. */
  told: ChatMessage[];
  sockets: WebSocket[];
  tokenRequests: number;
  unauthorized: number;
  closes: number[];
  goOffline(): void;
  comeBack(): void;
}

const devices: ChatClient[] = [];
afterAll(() => devices.forEach((client) => client.disconnect()));

function openDevice(
  user: string,
  { lifeSeconds = LIFE_SECONDS, catchUpMax = 20_000, random = Math.random } = {},
): Device {
  const sockets: WebSocket[] = [];
  let tell: Parameters<ChatPlatform["watch"]>[0] = () => undefined;
  class DeviceSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      this.on("error", () => undefined); // a close follows
      sockets.push(this);
    }
  }
  const client = new ChatClient({
    apiUrl: stack.apiUrl,
    wsUrl: stack.wsUrl,
    catchUpMax,
    getToken: () => {
      device.tokenRequests += 1;
      return tokensFor(user, lifeSeconds);
    },
    platform: {
      random,
      WebSocket: DeviceSocket,
      watch: (listener) => {
        tell = listener;
        return () => (tell = () => undefined);
      },
    },
  });
  const device: Device = {
    client,
    told: [],
    sockets,
    tokenRequests: 0,
    unauthorized: 0,
    closes: [],
    goOffline: () => {
      tell("offline");
      for (const socket of sockets) socket.terminate();
    },
    comeBack: () => tell("online"),
  };
  client.on("message", (message) => device.told.push(message));
  client.on("unauthorized", () => (device.unauthorized += 1));
  client.on("close", ({ code }) => device.closes.push(code));
  devices.push(client);
  return device;
}

/** Somebody in a room. */
async function come(user: string, roomId: string, options?: Parameters<typeof openDevice>[1]) {
  const device = openDevice(user, options);
  const room = device.client.join(roomId);
  await device.client.connect();
  await until(() => room.state.status === "joined");
  return { ...device, device, room };
}

const until = (holds: () => boolean): Promise<unknown> =>
  expect.poll(holds, { timeout: PATIENCE_MS, interval: 20 }).toBe(true);
const seqsOf = (messages: readonly ChatMessage[]): (number | undefined)[] => messages.map(({ seq }) => seq);
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);
const contentsOf = (room: ChatRoom): string[] => room.messages.map(({ content }) => content);

/** Says many things in a room, as somebody who speaks the protocol. */
async function flood(roomId: string, count: number): Promise<void> {
  const { wsToken } = await tokensFor("flooder");
  const socket = ChatSocket.withToken(stack.roomUrl(roomId), wsToken, true);
  await socket.next("room_joined");
  for (let said = 0; said < count;) {
    const batch = Math.min(400, count - said);
    for (let at = 0; at < batch; at++) {
      said += 1;
      socket.say({
        type: "message",
        roomId,
        content: `message ${said}`,
        clientMessageId: `flood-${String(said).padStart(6, "0")}`,
      });
    }
    const wanted = said;
    await expect.poll(() => socket.all("ack").length, { timeout: PATIENCE_MS, interval: 10 }).toBe(wanted);
    socket.say({ type: "received", roomId, seq: said });
  }
  await socket.leave();
}

describe("the SDK on the whole stack", () => {
  it("two people chat: each sees both messages once, in one order, with who is there, who types and what is read", async () => {
    const [anna, ben] = [await come("anna", "sdk-pair"), await come("ben", "sdk-pair")];
    expect(await anna.room.send("hello Ben")).toMatchObject({ seq: 1, duplicate: false });
    await until(() => ben.room.messages.length === 1);
    ben.room.typing(true);
    await until(() => anna.room.state.typing.some(({ userId }) => userId === "ben"));
    await ben.room.send("hello Anna");
    await until(() => anna.room.messages.length === 2);
    for (const { room } of [anna, ben]) {
      expect(contentsOf(room)).toEqual(["hello Ben", "hello Anna"]);
      expect(seqsOf(room.messages)).toEqual([1, 2]);
      expect(room.state.members.map(({ userId }) => userId).toSorted()).toEqual(["anna", "ben"]);
    }
    await until(() => anna.room.state.typing.length === 0);
    anna.room.markRead();
    await until(() => ben.room.state.readMarks["anna"] === 2);
  });

  it("the rooms' process is killed in mid-conversation: nobody loses or doubles anything, and every send is answered", async () => {
    const people = await Promise.all(["kim", "lee", "max"].map((user) => come(user, "sdk-killed")));
    const COUNT = 40;
    const sends: Promise<{ seq: number }>[] = [];
    for (let at = 0; at < COUNT; at++) {
      for (const { room, client } of people) sends.push(room.send(`${client.userId} says ${at}`));
      // A conversation, until it is cut short: everybody hears everybody before they go on.
      if (at < COUNT / 4) await until(() => people.every(({ told }) => told.length === sends.length));
      if (at === COUNT / 4) await stack.rooms.kill();
      if (at === COUNT / 2) await stack.rooms.start();
    }
    const seqs = (await Promise.all(sends)).map(({ seq }) => seq);
    expect(seqs.toSorted((one, other) => one - other)).toEqual(upTo(3 * COUNT));
    for (const { room, told, client } of people) {
      await until(() => told.length === 3 * COUNT);
      expect(seqsOf(told)).toEqual(upTo(3 * COUNT));
      expect(seqsOf(room.messages)).toEqual(upTo(3 * COUNT));
      expect(new Set(contentsOf(room)).size).toBe(3 * COUNT);
      const own = contentsOf(room).filter((content) => content.startsWith(`${client.userId} `));
      expect(own).toEqual(upTo(COUNT).map((at) => `${client.userId} says ${at - 1}`));
    }
  });

  it("a token expires and nobody notices: refreshed in place, on the same socket", async () => {
    const { room, sockets, device } = await come("tess", "sdk-tokens", { lifeSeconds: 8 });
    const firstEndsAt = performance.now() + 8_000;
    const other = await come("theo", "sdk-tokens");
    await until(() => performance.now() > firstEndsAt && device.tokenRequests > 1);
    await other.room.send("are you still there");
    await until(() => contentsOf(room).includes("are you still there"));
    await room.send("yes");
    expect(sockets).toHaveLength(1);
    expect(device.closes).toEqual([]);
    expect(device.tokenRequests).toBeGreaterThanOrEqual(2);
    expect(device.tokenRequests).toBeLessThanOrEqual(3);
    expect(device.unauthorized).toBe(0);
  });

  it("somebody whose tokens are revoked is told `unauthorized` once, and the client stops", async () => {
    const { client, device, room } = await come("rev", "sdk-revoked");
    const patient = await come("pat", "sdk-patient", { random: () => 0.999 });
    const answer = await fetch(`${stack.apiUrl}/v1/users/rev/revoke`, {
      method: "POST",
      headers: { "x-api-key": stack.apiKey },
    });
    expect(answer.status).toBe(200);
    await until(() => client.connectionState === "stopped");
    expect(device.unauthorized).toBe(1);
    const { sockets, tokenRequests } = device;
    // Whoever comes back at all is back by now: this one takes the longest time that a first return may take.
    for (const socket of patient.sockets) socket.terminate();
    await until(() => patient.sockets.length === 2 && patient.client.connectionState === "online");
    expect(device).toMatchObject({ unauthorized: 1, tokenRequests });
    expect(device.sockets).toHaveLength(sockets.length);
    expect(room.state.messages).toEqual([]);
  });

  it("somebody offline for 300 messages gets exactly those, once, in order, and their own from meanwhile", async () => {
    const { room, device, told } = await come("olga", "sdk-offline");
    await room.send("before");
    device.goOffline();
    await until(() => device.client.connectionState === "offline");
    const late = room.send("typed offline");
    await flood("sdk-offline", 300);
    expect(room.messages.map(({ state }) => state)).toEqual(["sent", "sending"]);
    device.comeBack();
    expect((await late).seq).toBe(302);
    await until(() => told.length === 302);
    expect(seqsOf(told)).toEqual(upTo(302));
    expect(seqsOf(room.messages)).toEqual(upTo(302));
    expect(contentsOf(room)).toEqual(["before", ...upTo(300).map((at) => `message ${at}`), "typed offline"]);
  });

  it("somebody away for 10,000 messages has them all, without a hole", async () => {
    const { room, device, told } = await come("ulla", "sdk-absent");
    const short = await come("vera", "sdk-absent", { catchUpMax: 500 });
    await room.send("before");
    await until(() => short.room.messages.length === 1);
    const gaps: { after: number; before: number }[] = [];
    short.room.on("gap", (gap) => gaps.push(gap));
    for (const away of [device, short.device]) away.goOffline();
    await flood("sdk-absent", 10_000);
    const startedAt = performance.now();
    for (const away of [device, short.device]) away.comeBack();
    await until(() => told.length === 10_001);
    console.log(`10,000 messages caught up in ${Math.round(performance.now() - startedAt)} ms`);
    expect(seqsOf(told)).toEqual(upTo(10_001));
    expect(seqsOf(room.messages)).toEqual(upTo(10_001));

    // Who does not want that many begins anew, is told so, and pages back without a hole.
    await until(() => short.room.state.messages.at(-1)?.seq === 10_001);
    expect(gaps).toHaveLength(1);
    const [gap] = gaps;
    expect(gap?.after).toBe(1);
    expect(short.room.messages[0]?.seq).toBe(gap?.before);
    for (let pages = 0; pages < 15; pages++) await short.room.history(200);
    const seqs = seqsOf(short.room.messages);
    expect(seqs.length).toBeGreaterThan(3_000);
    expect(seqs).toEqual(upTo(10_001, seqs[0]));
  }, 240_000);

  it("unread counts are right on two devices of one person, whichever reads and whatever was missed", async () => {
    const [phone, laptop] = [await come("uma", "sdk-unread"), await come("uma", "sdk-unread")];
    const other = await come("otto", "sdk-unread");
    for (const at of upTo(5)) await other.room.send(`news ${at}`);
    await until(() => phone.room.state.unread === 5 && laptop.room.state.unread === 5);
    phone.room.markRead(3);
    await until(() => laptop.room.state.unread === 2);
    expect(phone.room.state.unread).toBe(2);

    laptop.device.goOffline();
    await until(() => laptop.client.connectionState === "offline");
    for (const at of upTo(8, 6)) await other.room.send(`news ${at}`);
    await until(() => phone.room.state.unread === 5);
    phone.room.markRead();
    await until(() => phone.room.state.unread === 0);
    await phone.room.send("read it all"); // what one says oneself is not unread
    await other.room.send("good");
    laptop.device.comeBack();
    await until(() => laptop.room.messages.length === 10);
    await until(() => phone.room.state.unread === 1 && laptop.room.state.unread === 1);
  });

  it("two tabs are one person, who leaves with the last of them", async () => {
    const watcher = await come("wanda", "sdk-tabs");
    const [one, two] = [await come("tom", "sdk-tabs"), await come("tom", "sdk-tabs")];
    const guest = await come("greta", "sdk-tabs");
    await until(() => watcher.room.state.memberCount === 3);
    await one.room.send("from the first tab");
    await until(() => contentsOf(two.room).length === 1);
    const present = (): string[] =>
      watcher.room.members.flatMap(({ userId, status }) => (status === "online" ? [userId] : []));
    one.client.disconnect();
    guest.client.disconnect();
    await until(() => !present().includes("greta")); // who left after the tab: a return is waited for no longer
    expect(present().toSorted()).toEqual(["tom", "wanda"]);
    two.client.disconnect();
    await until(() => !present().includes("tom"));
    expect(watcher.room.state.memberCount).toBe(1);
  });
});
