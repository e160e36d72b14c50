import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConnectionReply, HealthReply, HistoryPage, Problem, RoomPresence, TokenReply } from "../../protocol/http.ts";
import { ChatSocket } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  // Wide limits: on a starved machine Redis may be too slow for the limiter, which then allows a tenth.
  stack = await startStack({ RATE_LIMIT_MAX_MESSAGES: "1000", TOKEN_RATE_LIMIT: "1000", CHANNEL_RATE_LIMIT: "1000" });
});
afterAll(() => stack?.stop());

const http = async (
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: unknown; headers: Headers }> => {
  const response = await fetch(stack.apiUrl + path, init);
  return { status: response.status, body: await response.json(), headers: response.headers };
};
const exchange = async (user: string, name?: string): Promise<TokenReply> => {
  const session = await stack.session(user, name === undefined ? {} : { name });
  const { body } = await http("/v1/token", { method: "POST", headers: { authorization: `Bearer ${session}` } });
  return TokenReply.parse(body);
};
const bearer = (token: string): { headers: Record<string, string> } => ({
  headers: { authorization: `Bearer ${token}` },
});
const enter = (tokens: TokenReply, room = "lobby"): ChatSocket =>
  ChatSocket.withToken(`${stack.wsUrl}?roomId=${room}`, tokens.wsToken);

describe("health", () => {
  it("S4-1 S2-6 S2-7 says that everything is well, and shows a real round trip to each part", async () => {
    expect((await http("/healthz")).body).toEqual({ status: "ok" });
    const health = await http("/api/chat/health");
    expect(health.status).toBe(200);
    expect(HealthReply.parse(health.body)).toMatchObject({ status: "healthy", warnings: [] });
    const connection = await http("/api/chat/test-connection");
    const { ok, steps } = ConnectionReply.parse(connection.body);
    expect(ok).toBe(true);
    expect(steps.map(({ name }) => name).toSorted()).toEqual(["postgres", "redis", "room", "tokens"]);
  });
});

describe("two people", () => {
  it("S0-1 S4-4 S4-8 S4-12 sign in, exchange, join the lobby, and read each other's messages in one order", async () => {
    const [alice, bob] = await Promise.all([exchange("alice", "Alice"), exchange("bob", "Bob")]);
    const [a, b] = [enter(alice), enter(bob)];
    await a.next("room_joined");
    await b.next("room_joined");

    a.say({
      type: "message",
      roomId: "lobby",
      content: "hello",
      clientMessageId: "first-message",
      timestamp: "2024-01-01T12:00:00Z",
    });
    const ack = await a.next("ack");
    const heard = await b.next("message");
    const own = await a.next("message");

    expect(ack).toMatchObject({ roomId: "lobby", clientMessageId: "first-message", duplicate: false });
    expect(heard).toMatchObject({
      messageId: ack.messageId,
      userId: "alice",
      username: "Alice",
      content: "hello",
      seq: ack.seq,
    });
    expect(heard).not.toHaveProperty("clientMessageId");
    expect(own).toMatchObject({ clientMessageId: "first-message", seq: ack.seq });
    await Promise.all([a.leave(), b.leave()]);
  });

  it("S4-20 find a message in history as soon as it is acked, and after a new sign-in", async () => {
    const alice = await exchange("historian");
    const a = enter(alice, "archive");
    await a.next("room_joined");
    for (const content of ["one", "two", "three"])
      a.say({ type: "message", roomId: "archive", content, clientMessageId: `archive-${content}` });
    const last = await a.next("ack", ({ clientMessageId }) => clientMessageId === "archive-three");

    const { status, body } = await http("/v1/channels/archive/messages?limit=2", bearer(alice.token));
    expect(status).toBe(200);
    const newest = HistoryPage.parse(body);
    expect(newest.messages.map(({ content }) => content)).toEqual(["two", "three"]);
    expect(newest.messages.at(-1)?.seq).toBe(last.seq);
    const older = await http(`/v1/channels/archive/messages?before=${newest.prev}`, bearer(alice.token));
    expect(HistoryPage.parse(older.body).messages.map(({ content }) => content)).toEqual(["one"]);

    await a.leave();
    const again = enter(alice, "archive");
    expect((await again.next("room_joined")).messages.map(({ content }) => content)).toEqual(["one", "two", "three"]);
    await again.leave();
  });

  it("S4-13 S4-15 see each other come, type and go", async () => {
    const [alice, bob] = await Promise.all([exchange("watcher"), exchange("visitor", "Visitor")]);
    const a = enter(alice, "hall");
    await a.next("room_joined");
    const b = enter(bob, "hall");
    expect(await a.next("presence", ({ userId }) => userId === "visitor")).toMatchObject({
      status: "online",
      username: "Visitor",
    });
    await b.next("room_joined");
    b.say({ type: "typing", roomId: "hall", isTyping: true });
    expect(await a.next("typing_indicator")).toMatchObject({ userId: "visitor", isTyping: true });
    const present = await http("/v1/presence?roomId=hall", bearer(alice.token));
    expect(
      RoomPresence.parse(present.body)
        .members.map(({ userId }) => userId)
        .toSorted(),
    ).toEqual(["visitor", "watcher"]);
    await b.leave();
    expect(await a.next("typing_indicator")).toMatchObject({ userId: "visitor", isTyping: false });
    expect(await a.next("presence", ({ status }) => status === "offline")).toMatchObject({ userId: "visitor" });
    await a.leave();
  });

  it("S4-16 hold many rooms on one socket", async () => {
    const [alice, bob] = await Promise.all([exchange("many-a"), exchange("many-b")]);
    const [a, b] = [enter(alice), enter(bob, "many-2")];
    await a.next("room_joined");
    a.say({ type: "join_room", roomId: "many-2" });
    await a.next("room_joined", ({ roomId }) => roomId === "many-2");
    await b.next("room_joined");
    b.say({ type: "message", roomId: "many-2", content: "over here", clientMessageId: "many-rooms-1" });
    expect(await a.next("message", ({ roomId }) => roomId === "many-2")).toMatchObject({ content: "over here" });
    a.say({ type: "leave_room", roomId: "many-2" });
    expect(await a.next("room_left")).toMatchObject({ roomId: "many-2" });
    await Promise.all([a.leave(), b.leave()]);
  });

  it("I01 get the same ack for a retry, and nobody hears it twice", async () => {
    const [alice, bob] = await Promise.all([exchange("retry-a"), exchange("retry-b")]);
    const [a, b] = [enter(alice, "retry"), enter(bob, "retry")];
    await Promise.all([a.next("room_joined"), b.next("room_joined")]);
    const frame = { type: "message", roomId: "retry", content: "once", clientMessageId: "retry-0001" };
    a.say(frame);
    const first = await a.next("ack");
    a.say(frame);
    expect(await a.next("ack")).toMatchObject({ seq: first.seq, messageId: first.messageId, duplicate: true });
    a.say({ ...frame, content: "something else" });
    expect(await a.next("error")).toMatchObject({ code: "duplicate_conflict", clientMessageId: "retry-0001" });
    a.say({ ...frame, content: "last", clientMessageId: "retry-0002" });
    await b.next("message", ({ content }) => content === "last");
    expect(b.all("message").map(({ content }) => content)).toEqual(["once", "last"]);
    await Promise.all([a.leave(), b.leave()]);
  });

  it("resume from where they stopped, with nothing missing and nothing twice", async () => {
    const [alice, bob] = await Promise.all([exchange("resume-a"), exchange("resume-b")]);
    const [a, b] = [enter(alice, "resume"), enter(bob, "resume")];
    const [, joined] = await Promise.all([a.next("room_joined"), b.next("room_joined")]);
    await b.leave();
    for (let n = 1; n <= 3; n++)
      a.say({ type: "message", roomId: "resume", content: `missed ${n}`, clientMessageId: `resume-000${n}` });
    await a.next("ack", ({ clientMessageId }) => clientMessageId === "resume-0003");
    const back = ChatSocket.withToken(`${stack.wsUrl}?roomId=resume&since=${joined.epoch}.${joined.seq}`, bob.wsToken);
    const gap = await back.next("room_joined");
    expect(gap.recovered).toBe(true);
    expect(gap.messages.map(({ content }) => content)).toEqual(["missed 1", "missed 2", "missed 3"]);
    back.say({ type: "join_room", roomId: "resume", since: { epoch: "another-life", seq: 1 } });
    expect(await back.next("room_joined")).toMatchObject({ recovered: false });
    await Promise.all([a.leave(), back.leave()]);
  });
});

describe("private channels", () => {
  it("A01 A04 W16 are open to members alone, and look like nothing to everybody else", async () => {
    const [owner, friend, stranger] = await Promise.all([exchange("owner"), exchange("friend"), exchange("stranger")]);
    const created = await http("/v1/channels", {
      method: "POST",
      headers: { ...bearer(owner.token).headers, "content-type": "application/json" },
      body: JSON.stringify({ channelId: "secret-plans", name: "Plans", type: "private", members: ["friend"] }),
    });
    expect(created.status).toBe(201);
    const f = enter(friend, "secret-plans");
    await f.next("room_joined");
    const s = enter(stranger);
    await s.next("room_joined");
    s.say({ type: "join_room", roomId: "secret-plans" });
    expect(await s.next("error")).toMatchObject({ code: "forbidden", roomId: "secret-plans" });
    const direct = ChatSocket.withToken(stack.roomUrl("secret-plans"), stranger.wsToken);
    const refusedAt = performance.now();
    expect((await direct.closing()).code).toBe(4503);
    // At once, and not when the client has lost patience with a connection that is left open.
    expect(performance.now() - refusedAt).toBeLessThan(900);
    const hidden = await http("/v1/channels/secret-plans/messages", bearer(stranger.token));
    const missing = await http("/v1/channels/no-such-plans/messages", bearer(stranger.token));
    expect(hidden.status).toBe(404);
    const { requestId: _, ...answer } = Problem.parse(hidden.body);
    expect(missing.body).toMatchObject(answer);
    expect((await http("/v1/channels/secret-plans/messages", bearer(friend.token))).status).toBe(200);
    await Promise.all([f.leave(), s.leave()]);
  });
});

describe("a server with an API key", () => {
  it("S3-1 S3-3 S3-6 mints tokens for its users, who then talk like all others", async () => {
    const mint = (body: object) =>
      http("/tokens", {
        method: "POST",
        headers: { "x-api-key": stack.apiKey, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const first = await mint({ userId: "minted", name: "Minted", custom: { role: "admin" } });
    expect(first.body).toMatchObject({ user: { id: "minted", name: "Minted", image: null }, expiresIn: 86_400 });
    const second = await mint({ userId: "minted", image: "https://example.com/a.png" });
    const again = TokenReply.parse(second.body);
    expect(again.user).toEqual({ id: "minted", name: "Minted", image: "https://example.com/a.png" });
    const m = enter(again);
    await m.next("room_joined");
    m.say({ type: "message", content: "from a minted user", clientMessageId: "minted-0001" });
    await m.next("ack");
    await m.leave();
  });
});

describe("a race", () => {
  it("A14 fifty creates of one id at once give one row and one owner", async () => {
    const creators = await Promise.all(["racer-a", "racer-b"].map((user) => exchange(user)));
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        http("/stream/channel", {
          method: "POST",
          headers: { ...bearer(creators[n % 2]?.token ?? "").headers, "content-type": "application/json" },
          body: JSON.stringify({ channel_id: "race", channel_name: "Race" }),
        }),
      ),
    );
    const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
    expect(count(201)).toBe(1);
    expect(count(200)).toBe(24);
    expect(count(409)).toBe(25);
  });
});
