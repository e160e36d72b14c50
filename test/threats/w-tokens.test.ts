import { describe, expect, it, vi } from "vitest";
import { signChatToken } from "../../domain/chat-tokens.ts";
import { claimsOf, NOW, settle } from "../gateway/fake-sockets.ts";
import { asleep, doors, problem, refused, openDoorsForEachTest } from "./doors.ts";
import { gateway } from "../gateway/each-gateway.ts";
import { encodePart } from "../support/raw-jwt.ts";

openDoorsForEachTest();

/** Another client comes in by a first frame: whatever was being checked before it has been. */
const untilNextIsIn = async (): Promise<void> => {
  const { socket } = await gateway.open();
  socket.hear(JSON.stringify({ type: "auth", token: await gateway.token("next") }));
  await vi.waitFor(() => expect(socket.ofType("welcome")).toHaveLength(1));
};

describe("W09 a socket that shows no token", () => {
  it("is closed after 5 s, with nothing woken and nothing said", async () => {
    const { socket } = await gateway.open();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(socket.closed).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(socket).toMatchObject({ sent: [], closed: { code: 4008 } });
    expect(asleep()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gets in with a first frame in time, and what it said after that is not lost", async () => {
    const { socket } = await gateway.open();
    await vi.advanceTimersByTimeAsync(4_000);
    socket.hear(JSON.stringify({ type: "auth", token: await gateway.token() }));
    socket.hear('{"type":"ping"}');
    await vi.waitFor(() => expect(socket.frames.map(({ type }) => type)).toEqual(["welcome", "pong"]));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(socket.closed).toBeUndefined();
  });

  it.each([
    ["another frame", '{"type":"ping"}', 4501],
    ["text", "hello", 4501],
    ["a field too many", '{"type":"auth","token":"x","room":"lobby"}', 4501],
    ["a frame too big", " ".repeat(16_385), 4509],
    ["a binary frame", new ArrayBuffer(8), 4510],
    ["a bad token", '{"type":"auth","token":"x"}', 4500],
  ])("is closed when it begins with %s", async (_case, data, code) => {
    const { socket } = await gateway.open();
    socket.hear(data);
    await vi.waitFor(() => expect(socket.closed).toMatchObject({ code }));
    expect(asleep()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("has nothing opened for it when it goes while its token is checked", async () => {
    const { socket } = await gateway.open();
    socket.hear(JSON.stringify({ type: "auth", token: await gateway.token() }));
    socket.hangUp(1000);
    await untilNextIsIn();
    expect(gateway.log).toMatchObject([{ userId: "next" }]);
    expect(socket.sent).toEqual([]);
  });

  it("cannot fill our memory while its token is checked", async () => {
    const { socket } = await gateway.open();
    socket.hear(JSON.stringify({ type: "auth", token: await gateway.token() }));
    for (let n = 0; n < 65; n++) socket.hear('{"type":"ping"}');
    expect(socket.closed).toMatchObject({ code: 4029 });
    await untilNextIsIn();
    expect(gateway.log).toMatchObject([{ userId: "next" }]);
  });

  it("is one of at most 20 that dawdle, for each address", async () => {
    const from = (address: string) => gateway.open({ headers: { "cf-connecting-ip": address } });
    for (let n = 0; n < 20; n++) await from("192.0.2.1");
    await vi.advanceTimersByTimeAsync(1_000);
    const { response } = await from("192.0.2.1");
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await refused(response)).toEqual(problem(429, "rate_limited"));
    expect((await from("192.0.2.2")).response.status).not.toBe(429);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await from("192.0.2.1")).response.status).not.toBe(429);
  });

  it("is one of at most 200 that wait at a time, for each address, however quick they are", async () => {
    const from = (address: string) => gateway.open({ headers: { "cf-connecting-ip": address } });
    const opened = await Promise.all(Array.from({ length: 200 }, () => from("192.0.2.1")));
    expect(opened.filter(({ response }) => response.status === 429)).toEqual([]);
    expect((await from("192.0.2.1")).response.status).toBe(429);
    expect((await from("192.0.2.2")).response.status).not.toBe(429);
    opened[0]?.socket.hangUp(1000);
    await settle();
    expect((await from("192.0.2.1")).response.status).not.toBe(429);
    expect((await from("192.0.2.1")).response.status).toBe(429);
  });

  it("does not stand in the way of many who show theirs at once", async () => {
    const headers = { "cf-connecting-ip": "192.0.2.1" };
    const token = await gateway.token();
    const opened = await Promise.all(Array.from({ length: 100 }, () => gateway.open({ headers })));
    expect(opened.filter(({ response }) => response.status === 429)).toEqual([]);
    for (const { socket } of opened) socket.hear(JSON.stringify({ type: "auth", token }));
    await vi.waitFor(() => expect(gateway.log).toHaveLength(100));
  });
});

describe("W10 one user's many sockets", () => {
  it("are counted by the room, whose verdict ends the oldest client's socket here", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp("connection_limit");
    expect(client.closed).toMatchObject({ code: 4507 });
  });

  it("T20 W11 are not told apart by headers a client can write", async () => {
    for (let n = 0; n < 21; n++)
      await gateway.open({
        headers: { "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": `10.0.0.${n}`, "x-real-ip": `10.0.0.${n}` },
      });
    await vi.advanceTimersByTimeAsync(1_000);
    const { response } = await gateway.open({
      headers: { "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": "10.1.1.1" },
    });
    expect(response.status).toBe(429);
  });
});

describe("W19 subprotocols", () => {
  it("are answered with ours alone, and never with the token", async () => {
    const offered = `chat.v1, x-other, chat.token.${await gateway.token()}`;
    const { subprotocol, socket } = await gateway.open({ headers: { "sec-websocket-protocol": offered } });
    expect(subprotocol).toBe("chat.v1");
    expect(socket.ofType("welcome")).toHaveLength(1);
  });

  it.each([
    ["a hundred", ["chat.v1", ...Array.from({ length: 99 }, (_, n) => `p${n}`)].join(", ")],
    ["the token alone", "chat.token.abc"],
    ["what is not a name", "chat.v1, a(b)"],
  ])("are refused at both doors when they are %s", async (_case, offered) => {
    for (const door of [doors.gateway, doors.room])
      expect(await refused(await door({ "sec-websocket-protocol": offered }))).toEqual(problem(400, "bad_request"));
    expect(asleep()).toBe(true);
  });
});

describe("W20 a bad token", () => {
  const hour = 3_600_000;
  it.each([
    ["J23 nonsense", 4500, async () => "abc.def.ghi"],
    ["J01 one that says it needs no signature", 4500, async () => withoutSignature(await gateway.token())],
    ["J08 an expired one", 4001, () => gateway.token("alice", { issuedAt: NOW - 2 * hour, expiresAt: NOW - hour })],
    [
      "J11 one from the future, which a new one is not",
      4001,
      () => gateway.token("alice", { issuedAt: NOW + hour, expiresAt: NOW + 2 * hour }),
    ],
    ["T01 one for HTTP", 4502, () => signChatToken(gateway.keys, "rest", claimsOf())],
    ["T04 A12 one for our own Worker", 4502, () => signChatToken(gateway.keys, "internal", claimsOf())],
    ["J18 a token of 8 KiB and more", 4500, async () => `${"x".repeat(8_200)}.y.z`],
  ])("is accepted and then closed with a code that says what to do: %s", async (_case, code, make) => {
    const token = await make();
    const bearer = await gateway.open({ headers: { authorization: `Bearer ${token}` } });
    const protocol = await gateway.open({ headers: { "sec-websocket-protocol": `chat.v1, chat.token.${token}` } });
    const query = await gateway.open({ query: `?token=${token}` });
    const frame = await gateway.open();
    frame.socket.say({ type: "auth", token });
    await vi.waitFor(() => expect(frame.socket.closed).toBeDefined());
    for (const { socket } of [bearer, protocol, query, frame])
      expect(socket).toMatchObject({ sent: [], closed: { code } });
    expect(asleep()).toBe(true);
  });

  it("J18 is refused for its length alone, however well it is signed", async () => {
    const [longest, longer] = [await tokenOfLength(8_192), await tokenOfLength(8_193)];
    const good = await gateway.open({ headers: { authorization: `Bearer ${longest}` } });
    expect(good.socket.closed).toBeUndefined();
    const { socket } = await gateway.open({ headers: { authorization: `Bearer ${longer}` } });
    expect(socket).toMatchObject({ sent: [], closed: { code: 4500 } });
  });
  it("T01 S3-4 of the wrong kind says which of the two was expected", async () => {
    const token = await signChatToken(gateway.keys, "rest", claimsOf());
    const { socket } = await gateway.open({ query: `?token=${token}` });
    expect(socket.closed?.reason).toBe("wrong_token_kind: You passed token, expected wsToken");
  });

  it("I10 A05 with a bad position is closed as well, and nothing is woken", async () => {
    const { socket } = await gateway.open({ query: `?since=e1.-1&token=${await gateway.token()}` });
    expect(socket.closed).toMatchObject({ code: 4501 });
    expect(asleep()).toBe(true);
  });

  it("T19 in two places that disagree is no token", async () => {
    const { socket } = await gateway.open({
      headers: { authorization: `Bearer ${await gateway.token()}` },
      query: `?token=${await gateway.token("mallory")}`,
    });
    expect(socket.closed).toMatchObject({ code: 4500 });
  });
});

function withoutSignature(token: string): string {
  const [, payload = ""] = token.split(".");
  return `${encodePart({ alg: "none", typ: "chat-ws+jwt" })}.${payload}.`;
}

/** A token of alice's that is good but for its length. */
async function tokenOfLength(length: number): Promise<string> {
  for (let name = 5_500; name < 6_200; name++) {
    const token = await gateway.token("alice", { name: "x".repeat(name) });
    if (token.length === length) return token;
  }
  throw new Error(`No token has ${length} characters`);
}
