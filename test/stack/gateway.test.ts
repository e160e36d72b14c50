import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTokenKeys, signChatToken, type TokenKeys, type TokenKind } from "../../domain/chat-tokens.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import type { StackHop } from "../../dev/stack.ts";
import { Proxies } from "../chaos/world/proxy/proxies.ts";
import type { Aim } from "../chaos/world/proxy/rules.ts";
import { ChatSocket, type OpenOptions } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
/** Stands between the gateway and the rooms. */
const rooms = new Proxies();
let keys: TokenKeys;
beforeAll(async () => {
  const through = async (hop: StackHop, url: string) => (hop === "gateway" ? await rooms.open(hop, url) : url);
  stack = await startStack({ RATE_LIMIT_MAX_MESSAGES: "10000" }, { through });
  keys = await createTokenKeys(stack.apiUrl, stack.chatJwtSecret);
});
afterAll(async () => {
  await stack?.stop();
  await rooms.close();
});

const ALL: Aim = { hops: ["gateway"], share: 1, seed: 1 };
const HOUR = 3_600_000;
const tokenFor = (
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
const DOORS = ["gateway", "room"] as const;
type Door = (typeof DOORS)[number];
const urlOf = (door: Door, room = "lobby", query = ""): string =>
  door === "gateway"
    ? `${stack.wsUrl}?roomId=${room}${query}`
    : `${stack.partyUrl.replace("http", "ws")}/parties/main/${room}${query.replace("&", "?")}`;
const enter = async (door: Door, user: string, room = "lobby", options: OpenOptions = {}): Promise<ChatSocket> => {
  const headers = { authorization: `Bearer ${await tokenFor(user)}`, ...options.headers };
  const socket = new ChatSocket(urlOf(door, room), { ...options, headers });
  await socket.next("room_joined");
  return socket;
};
const message = (roomId: string, n: number) => ({
  type: "message",
  roomId,
  content: `message ${n}`,
  clientMessageId: `message-${roomId}-${n}`,
});
const contents = (socket: ChatSocket): string[] => socket.all("message").map(({ content }) => content);

/** An upgrade that is answered in HTTP. */
const knock = (url: string, headers: Record<string, string>): Promise<{ status: number; code: string }> =>
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

describe.each(DOORS)("the %s's door", (door) => {
  it("S4-5 takes the token as header", async () => {
    const socket = await enter(door, "by-header");
    expect(socket.all("welcome")).toMatchObject([{ userId: "by-header" }]);
    await socket.leave();
  });

  it.each(["chat.v1", "chat.v1.lines"])(
    "W19 takes the token as subprotocol beside %s, and never repeats it",
    async (protocol) => {
      const protocols = [protocol, `chat.token.${await tokenFor("by-protocol")}`];
      const socket = new ChatSocket(urlOf(door), { protocols });
      await socket.next("room_joined");
      expect(socket.socket.protocol).toBe(protocol);
      await socket.leave();
    },
  );

  it("S4-5 T20 takes the token in the query", async () => {
    const socket = new ChatSocket(urlOf(door, "lobby", `&token=${await tokenFor("by-query")}`));
    await socket.next("room_joined");
    await socket.leave();
  });

  it("takes the token as first frame, and what follows at once", async () => {
    const socket = new ChatSocket(urlOf(door));
    await socket.opened();
    socket.say({ type: "auth", token: await tokenFor("by-frame") });
    socket.say(message("lobby", door === "room" ? 1 : 2));
    expect(await socket.next("ack")).toMatchObject({ duplicate: false });
    await socket.leave();
  });

  it("W09 closes a socket that shows no token within 5 s", async () => {
    const socket = new ChatSocket(urlOf(door));
    expect((await socket.closing()).code).toBe(4008);
    expect(socket.frames).toEqual([]);
  });

  it("W20 S4-7 accepts a bad token and closes with what to do about it", async () => {
    const opened = async (token: string): Promise<number> =>
      (await new ChatSocket(urlOf(door, "lobby", `&token=${token}`)).closing()).code;
    expect(await opened("nonsense")).toBe(4500);
    expect(await opened(await tokenFor("late", { age: 2 * HOUR }))).toBe(4001);
    expect(await opened(await tokenFor("other", { kind: "rest" }))).toBe(4502);
    expect(await opened(await tokenFor("other", { kind: "internal" }))).toBe(4502);
    expect(await opened(`${await tokenFor("other")}x`)).toBe(4500);
  });

  it("T04 does not take the sign-in itself", async () => {
    const socket = new ChatSocket(urlOf(door, "lobby", `&token=${await stack.session("direct")}`));
    expect((await socket.closing()).code).toBe(4500);
  });

  it("T03 gives each app rooms of its own", async () => {
    const [ours, theirs] = [await enter(door, "tenant", "tenants"), await tokenFor("tenant", { app: "other-app" })];
    const other = new ChatSocket(urlOf(door, "tenants"), { headers: { authorization: `Bearer ${theirs}` } });
    await other.next("room_joined");
    const n = door === "room" ? 1 : 2;
    ours.say(message("tenants", n));
    await ours.next("message", ({ content }) => content === `message ${n}`);
    other.say(message("tenants", n + 10));
    await other.next("message", ({ content }) => content === `message ${n + 10}`);
    expect(contents(other)).not.toContain(`message ${n}`);
    expect(other.all("room_joined")).not.toMatchObject([{ epoch: ours.all("room_joined")[0]?.epoch }]);
    await Promise.all([ours.leave(), other.leave()]);
  });

  it("W01 refuses other sites, and serves our own page", async () => {
    const authorization = `Bearer ${await tokenFor("visitor")}`;
    for (const origin of ["https://evil.example", "null", `${stack.apiUrl}.evil.example`, "http://127.0.0.1:1"])
      expect(await knock(urlOf(door), { origin, authorization })).toEqual({ status: 403, code: "bad_origin" });
    await (await enter(door, "visitor", "lobby", { headers: { origin: stack.apiUrl } })).leave();
  });

  it("W07 refuses other spellings of a room's name", async () => {
    const authorization = `Bearer ${await tokenFor("speller")}`;
    for (const room of [
      "%6cobby",
      "a%2Fb",
      "..%2flobby",
      "lobby%00",
      "demo:lobby",
      "n%CC%83",
      "%C3%B1",
      "x".repeat(2_048),
    ])
      expect(await knock(urlOf(door, room), { authorization })).toEqual({ status: 400, code: "bad_room_id" });
  });

  it("W19 refuses a hundred subprotocols, and the token alone", async () => {
    const hundred = Array.from({ length: 100 }, (_, n) => `p${n}`).join(", ");
    for (const offered of [hundred, `chat.token.${await tokenFor("alone")}`])
      expect(await knock(urlOf(door), { "sec-websocket-protocol": offered })).toEqual({
        status: 400,
        code: "bad_request",
      });
  });

  it("W05 W06 takes no connection id, room or props from a client", async () => {
    const victim = await enter(door, "victim", "ids");
    const [{ connectionId } = { connectionId: "" }] = victim.all("welcome");
    const thief = new ChatSocket(urlOf(door, "ids", `&_pk=${connectionId}`), {
      headers: {
        authorization: `Bearer ${await tokenFor("thief")}`,
        "x-partykit-props": '{"role":"admin"}',
        "x-partykit-room": "other",
        "x-parley-since": "e.1",
      },
    });
    await thief.next("room_joined");
    expect(thief.all("welcome")[0]?.connectionId).not.toBe(connectionId);
    const n = door === "room" ? 1 : 2;
    thief.say(message("ids", n));
    expect(await victim.next("message", ({ content }) => content === `message ${n}`)).toMatchObject({
      userId: "thief",
    });
    await Promise.all([victim.leave(), thief.leave()]);
  });

  it("W10 lets the newest five of a user's sockets in a room live", async () => {
    const room = `crowd-${door}`;
    const sockets: ChatSocket[] = [];
    for (let n = 0; n < 6; n++) {
      const socket = await enter(door, "many-tabs", room);
      // The rooms' local runtime ends the closing handshake only of sockets that have once said something.
      socket.say({ type: "ping" });
      await socket.next("pong");
      sockets.push(socket);
    }
    expect((await sockets[0]?.closing())?.code).toBe(4507);
    expect(sockets.slice(1).map(({ closed }) => closed)).toEqual(Array.from({ length: 5 }, () => undefined));
    await Promise.all(sockets.slice(1).map((socket) => socket.leave()));
  });
});

describe("W04 the handshake", () => {
  const answerTo = (port: string, head: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.write(head));
      socket.once("data", (data) => {
        resolve(String(data).split("\r\n")[0] ?? "");
        socket.destroy();
      });
      socket.once("error", reject);
    });

  it("is answered with 426 without an upgrade, and refused in another version", async () => {
    expect((await fetch(stack.wsUrl.replace("ws:", "http:"))).status).toBe(426);
    for (const url of [new URL(stack.apiUrl), new URL(stack.partyUrl)]) {
      const path = url.href.startsWith(stack.apiUrl) ? "/ws" : "/parties/main/lobby";
      const head = `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n`;
      expect(await answerTo(url.port, head)).toMatch(/^HTTP\/1\.1 4(00|26) /);
    }
  });
});

describe("A03 a reserved room", () => {
  const knockAt = async (door: Door): Promise<ChatSocket> =>
    new ChatSocket(urlOf(door, "constructor"), { headers: { authorization: `Bearer ${await tokenFor("curious")}` } });

  it("is not there: the room's door closes, the gateway's socket stays open for other rooms", async () => {
    expect((await (await knockAt("room")).closing()).code).toBe(4504);
    const socket = await knockAt("gateway");
    expect(await socket.next("error")).toMatchObject({ code: "room_not_found", roomId: "constructor" });
    socket.say({ type: "join_room", roomId: "lobby" });
    await socket.next("room_joined");
    await socket.leave();
  });
});

describe("many rooms on one socket", () => {
  it("S4-6 S4-16 begins in the lobby, joins and leaves at run time, and keeps each room's order", async () => {
    const a = new ChatSocket(stack.wsUrl, { headers: { authorization: `Bearer ${await tokenFor("multi-a")}` } });
    expect(await a.next("room_joined")).toMatchObject({ roomId: "lobby" });
    const names = Array.from({ length: 12 }, (_, n) => `multi-${n}`);
    for (const roomId of names) a.say({ type: "join_room", roomId });
    for (const roomId of names) a.say(message(roomId, 1));
    for (const roomId of names) a.say(message(roomId, 2));
    await expect.poll(() => a.all("message").length, { timeout: 10_000 }).toBe(names.length * 2);
    for (const roomId of names)
      expect(a.all("message").filter((heard) => heard.roomId === roomId)).toMatchObject([
        { seq: 1, content: "message 1" },
        { seq: 2, content: "message 2" },
      ]);
    await a.leave();
  });

  it("shows clientMessageId to its author alone", async () => {
    const [a, b] = [await enter("gateway", "author", "authors"), await enter("gateway", "reader", "authors")];
    a.say(message("authors", 1));
    expect(await a.next("message")).toMatchObject({ clientMessageId: "message-authors-1" });
    expect(await b.next("message")).not.toHaveProperty("clientMessageId");
    await Promise.all([a.leave(), b.leave()]);
  });

  it("sends lines to who asked for them, and single objects to others, in one room", async () => {
    const lines = await enter("gateway", "lines", "shapes", { protocols: ["chat.v1.lines"] });
    const single = await enter("gateway", "single", "shapes", { protocols: ["chat.v1"] });
    const whole: string[] = [];
    single.socket.on("message", (data) => whole.push(String(data)));
    lines.socket.send([1, 2, 3, 4, 5, 6, 7, 8].map((n) => JSON.stringify(message("shapes", n))).join("\n"));
    await single.next("message", ({ content }) => content === "message 8");
    await lines.next("message", ({ content }) => content === "message 8");
    expect(contents(lines)).toEqual(contents(single));
    for (const text of whole) expect(() => JSON.parse(text)).not.toThrow();
    await Promise.all([lines.leave(), single.leave()]);
  });

  it("S4-13 X03 shows at once who left a room, and soon who vanished", async () => {
    const watcher = await enter("gateway", "watching", "leavers");
    const leaver = await enter("gateway", "leaving", "leavers");
    const vanisher = await enter("gateway", "vanishing", "leavers");
    leaver.say({ type: "leave_room", roomId: "leavers" });
    await leaver.next("room_left");
    expect(await watcher.next("presence", ({ status }) => status === "offline")).toMatchObject({ userId: "leaving" });
    vanisher.socket.terminate();
    expect(await watcher.next("presence", ({ status }) => status === "offline")).toMatchObject({ userId: "vanishing" });
    await Promise.all([watcher.leave(), leaver.leave()]);
  });

  it("closes the sockets to its rooms when the client goes", async () => {
    await expect.poll(() => rooms.sockets("gateway")).toBe(0); // those of the tests before
    const a = await enter("gateway", "passing", "passing-1");
    a.say({ type: "join_room", roomId: "passing-2" });
    await a.next("room_joined");
    expect(rooms.sockets("gateway")).toBe(2);
    a.socket.terminate();
    await expect.poll(() => rooms.sockets("gateway")).toBe(0);
  });

  it("J25 goes on with a refreshed token", async () => {
    const a = await enter("gateway", "refresher", "refreshed");
    a.say({ type: "refresh", token: await tokenFor("refresher") });
    a.say(message("refreshed", 1));
    await a.next("ack");
    a.say({ type: "refresh", token: await tokenFor("somebody-else") });
    expect((await a.closing()).code).toBe(4500);
  });

  it("F01 F04 closes on what is too big or binary", async () => {
    const big = await enter("gateway", "big");
    big.socket.send(" ".repeat(16_385));
    expect((await big.closing()).code).toBe(4509);
    const binary = await enter("gateway", "binary");
    binary.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    expect((await binary.closing()).code).toBe(4510);
  });
});

describe("a way to the rooms that breaks", () => {
  it("S4-31 is mended behind the client's back: nothing missing, nothing twice, nobody seen to go", async () => {
    const a = await enter("gateway", "steady-a", "steady");
    const b = await enter("room", "steady-b", "steady");
    await a.next("presence", ({ userId }) => userId === "steady-b");
    for (let n = 1; n <= 30; n++) {
      b.say(message("steady", n));
      if (n % 10 === 0) rooms.cut(ALL, "rst");
    }
    await b.next("ack", ({ seq }) => seq === 30);
    a.say(message("steady", 31));
    const ack = await a.next("ack");
    expect(ack.seq).toBe(31);
    await a.next("message", ({ seq }) => seq === 31);
    expect(a.all("message").map(({ seq }) => seq)).toEqual(Array.from({ length: 31 }, (_, n) => n + 1));
    expect(a.all("room_joined")).toHaveLength(1);
    expect(a.all("presence").filter(({ status }) => status === "offline")).toEqual([]);
    expect(b.all("presence").filter(({ status }) => status === "offline")).toEqual([]);
    expect(b.all("message").filter(({ seq }) => seq === 31)).toHaveLength(1);
    await Promise.all([a.leave(), b.leave()]);
  });

  it("D17 is reported after a while, holds nothing back in secret, and works again when it is mended", async () => {
    const a = await enter("gateway", "patient", "outage");
    const outage = rooms.impose({ ...ALL, do: "refuse" });
    rooms.cut(ALL, "rst");
    a.say(message("outage", 1));
    const told = await a.next("error");
    expect(told).toMatchObject({ code: "storage_unavailable", roomId: "outage" });
    expect(told).not.toHaveProperty("clientMessageId");
    await rooms.lift(outage);
    a.say({ type: "join_room", roomId: "outage" });
    await a.next("room_joined");
    a.say(message("outage", 1));
    expect(await a.next("ack")).toMatchObject({ seq: 1, duplicate: false });
    await a.leave();
  });
});
