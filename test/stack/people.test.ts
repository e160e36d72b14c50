import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RestrictionReply, TokenReply } from "../../protocol/http.ts";
import { ChatSocket } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

/** How soon everybody has to know. */
const SOON_MS = 2_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ TOKEN_RATE_LIMIT: "1000", ALLOWED_ORIGINS: "" });
});
afterAll(() => stack?.stop());

const call = async (method: string, path: string, headers: Record<string, string>, body?: unknown) => {
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const init = { method, headers: { ...headers, ...json }, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await fetch(`${stack.apiUrl}${path}`, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const withKey = (method: string, path: string, body?: unknown) =>
  call(method, path, { "x-api-key": stack.apiKey }, body);
const withToken = (token: string, method: string, path: string, body?: unknown) =>
  call(method, path, { authorization: `Bearer ${token}` }, body);
const mint = async (user: string): Promise<TokenReply> => {
  const { status, body } = await withKey("POST", "/v1/tokens", { userId: user });
  if (status !== 200) throw new Error(`No tokens: ${JSON.stringify(body)}`);
  return body as unknown as TokenReply;
};
const direct = (room: string, wsToken: string): ChatSocket => ChatSocket.withToken(stack.roomUrl(room), wsToken);
const gateway = (room: string, wsToken: string): ChatSocket =>
  ChatSocket.withToken(`${stack.wsUrl}?roomId=${room}`, wsToken);
const joined = async (socket: ChatSocket): Promise<ChatSocket> => {
  await socket.next("room_joined");
  return socket;
};
/** What a socket is closed with, and how long after `since`. */
const closing = async (socket: ChatSocket, since: number) => ({
  code: (await socket.closing()).code,
  inTime: Date.now() - since < SOON_MS,
});
const openRoom = async (id: string, owner: string, change: object = {}) => {
  const { token } = await mint(owner);
  const { status } = await withToken(token, "POST", "/v1/channels", { channelId: id, ...change });
  expect(status).toBe(201);
  return token;
};

describe("J24 revoking a user's tokens, with everything running", () => {
  it("ends their sockets in every room and at the gateway within 2 s, and nobody else's", async () => {
    const [bob, alice] = [await mint("bob"), await mint("alice")];
    await openRoom("revoke-1", "alice");
    await openRoom("revoke-2", "alice");
    const bystander = await joined(direct("revoke-1", alice.wsToken));
    const many = await joined(gateway("revoke-1", bob.wsToken));
    many.say({ type: "join_room", roomId: "revoke-2" });
    await many.next("room_joined");
    const sockets = [
      await joined(direct("revoke-1", bob.wsToken)),
      await joined(direct("revoke-2", bob.wsToken)),
      many,
    ];
    const since = Date.now();
    const ended = Promise.all(sockets.map((socket) => closing(socket, since)));
    const answer = await withKey("POST", "/v1/users/bob/revoke");
    expect(answer).toMatchObject({ status: 200, body: { userId: "bob", banned: false } });
    expect(await ended).toEqual(sockets.map(() => ({ code: 4500, inTime: true })));
    bystander.say({ type: "ping" });
    await bystander.next("pong");
    await bystander.leave();
  });

  it("refuses what was issued before at every door, and takes what is issued after the answer", async () => {
    const old = await mint("carol");
    const session = await stack.session("carol");
    const socket = await joined(direct("lobby", old.wsToken));
    const { body } = await withKey("POST", "/v1/users/carol/revoke");
    const { revokedBefore } = body as unknown as RestrictionReply;
    expect(Date.parse(revokedBefore ?? "")).toBeLessThanOrEqual(Date.now());
    await socket.closing();
    expect(await withToken(old.token, "GET", "/v1/channels")).toMatchObject({
      status: 401,
      body: { code: "token_revoked" },
    });
    expect(await withToken(session, "POST", "/v1/token")).toMatchObject({
      status: 401,
      body: { code: "token_revoked" },
    });
    expect((await direct("lobby", old.wsToken).closing()).code).toBe(4500);
    expect((await direct("never-been-here", old.wsToken).closing()).code).toBe(4500);
    expect((await gateway("lobby", old.wsToken).closing()).code).toBe(4500);
    const firstFrame = new ChatSocket(stack.roomUrl("lobby"));
    await firstFrame.opened();
    firstFrame.say({ type: "auth", token: old.wsToken });
    expect((await firstFrame.closing()).code).toBe(4500);

    const fresh = await mint("carol");
    expect((await withToken(fresh.token, "GET", "/v1/channels")).status).toBe(200);
    const again = await joined(direct("lobby", fresh.wsToken));
    const many = await joined(gateway("lobby", fresh.wsToken));
    expect((await withToken(await stack.session("carol"), "POST", "/v1/token")).status).toBe(200);
    for (const open of [again, many]) open.say({ type: "refresh", token: old.wsToken });
    expect([(await again.closing()).code, (await many.closing()).code]).toEqual([4500, 4500]);
  });
});

describe("A09 bans, with everything running", () => {
  it("from the app: sockets end with 4506 within 2 s, no tokens until it is lifted", async () => {
    const dave = await mint("dave");
    const sockets = [await joined(direct("lobby", dave.wsToken)), await joined(gateway("lobby", dave.wsToken))];
    const since = Date.now();
    const ended = Promise.all(sockets.map((socket) => closing(socket, since)));
    const banned = await withKey("POST", "/v1/users/dave/ban", { reason: "spam" });
    expect(banned).toMatchObject({ status: 200, body: { banned: true, bannedUntil: null } });
    expect(await ended).toEqual(sockets.map(() => ({ code: 4506, inTime: true })));
    const refused = { status: 403, body: { code: "banned" } };
    expect(await withKey("POST", "/v1/tokens", { userId: "dave" })).toMatchObject(refused);
    expect(await withToken(await stack.session("dave"), "POST", "/v1/token")).toMatchObject(refused);
    expect((await direct("lobby", dave.wsToken).closing()).code).toBe(4506);
    expect((await gateway("lobby", dave.wsToken).closing()).code).toBe(4506);
    expect(await withKey("DELETE", "/v1/users/dave/ban")).toMatchObject({ status: 200, body: { banned: false } });
    const back = await joined(direct("lobby", (await mint("dave")).wsToken));
    await back.leave();
    expect((await direct("lobby", dave.wsToken).closing()).code).toBe(4500);
  });

  it("from a channel: 4506 there within 2 s, an error for that room only on a shared socket, history closed", async () => {
    const owner = await openRoom("banned-1", "alice");
    const erin = await mint("erin");
    const one = await joined(direct("banned-1", erin.wsToken));
    const many = await joined(gateway("banned-1", erin.wsToken));
    many.say({ type: "join_room", roomId: "lobby" });
    await many.next("room_joined");
    const since = Date.now();
    const ban = await withToken(owner, "POST", "/v1/channels/banned-1/bans", { userId: "erin" });
    expect(ban).toMatchObject({ status: 200, body: { userId: "erin", kind: "ban", until: null } });
    expect(await closing(one, since)).toEqual({ code: 4506, inTime: true });
    expect(await many.next("error")).toMatchObject({ code: "forbidden", roomId: "banned-1" });
    expect(Date.now() - since).toBeLessThan(SOON_MS);
    many.say({ type: "join_room", roomId: "banned-1" });
    expect(await many.next("error")).toMatchObject({ code: "forbidden", roomId: "banned-1" });
    many.say({ type: "message", roomId: "lobby", content: "still here", clientMessageId: crypto.randomUUID() });
    await many.next("ack");
    expect((await direct("banned-1", erin.wsToken).closing()).code).toBe(4506);
    const history = () => withToken(erin.token, "GET", "/v1/channels/banned-1/messages");
    expect(await history()).toMatchObject({ status: 404, body: { code: "room_not_found" } });
    expect((await withToken(owner, "GET", "/v1/channels/banned-1/bans")).body).toMatchObject({
      bans: [{ userId: "erin", createdBy: "alice" }],
      next: null,
    });
    expect((await withToken(owner, "DELETE", "/v1/channels/banned-1/bans/erin")).body).toMatchObject({ lifted: true });
    await (await joined(direct("banned-1", erin.wsToken))).leave();
    expect((await history()).status).toBe(200);
    await many.leave();
  });

  it("a mute refuses messages with the time to wait, and lets read on", async () => {
    const owner = await openRoom("muted-1", "alice");
    const [frank, alice] = [await mint("frank"), await mint("alice")];
    const listening = await joined(direct("muted-1", frank.wsToken));
    const speaking = await joined(gateway("muted-1", alice.wsToken));
    const mute = { userId: "frank", kind: "mute", seconds: 60 };
    expect((await withToken(owner, "POST", "/v1/channels/muted-1/bans", mute)).status).toBe(200);
    listening.say({ type: "message", content: "hello", clientMessageId: "muted-0001" });
    const refusal = await listening.next("error");
    expect(refusal).toMatchObject({ code: "muted", clientMessageId: "muted-0001" });
    expect(refusal.retryAfterMs).toBeGreaterThan(50_000);
    speaking.say({ type: "message", content: "for frank", clientMessageId: crypto.randomUUID() });
    expect((await listening.next("message")).content).toBe("for frank");
    expect((await withToken(owner, "DELETE", "/v1/channels/muted-1/bans/frank")).status).toBe(200);
    listening.say({ type: "message", content: "hello", clientMessageId: "muted-0001" });
    expect(await listening.next("ack")).toMatchObject({ duplicate: false });
    for (const socket of [listening, speaking]) await socket.leave();
  });
});

describe("A10 changes of members, with everything running", () => {
  it("who is removed while connected stops receiving within 2 s, on both kinds of socket", async () => {
    const owner = await openRoom("closed-1", "alice", { type: "private" });
    const [grace, alice] = [await mint("grace"), await mint("alice")];
    expect((await direct("closed-1", grace.wsToken).closing()).code).toBe(4503);
    const added = await withToken(owner, "POST", "/v1/channels/closed-1/members", { userIds: ["grace"] });
    expect(added).toMatchObject({ status: 200, body: { memberCount: 2, members: ["alice", "grace"] } });
    const one = await joined(direct("closed-1", grace.wsToken));
    const many = await joined(gateway("closed-1", grace.wsToken));
    const speaking = await joined(direct("closed-1", alice.wsToken));
    const since = Date.now();
    const removed = await withToken(owner, "DELETE", "/v1/channels/closed-1/members/grace");
    expect(removed).toMatchObject({ status: 200, body: { removed: true } });
    expect(await closing(one, since)).toEqual({ code: 4503, inTime: true });
    expect(await many.next("error")).toMatchObject({ code: "forbidden", roomId: "closed-1" });
    speaking.say({ type: "message", content: "not for grace", clientMessageId: crypto.randomUUID() });
    await speaking.next("ack");
    expect([...one.all("message"), ...many.all("message")]).toEqual([]);
    expect((await direct("closed-1", grace.wsToken).closing()).code).toBe(4503);
    for (const socket of [many, speaking]) await socket.leave();
  });

  it("people may leave by themselves, and join an open channel again", async () => {
    await openRoom("open-1", "alice");
    const heidi = await mint("heidi");
    const socket = await joined(direct("open-1", heidi.wsToken));
    expect((await withToken(heidi.token, "DELETE", "/v1/channels/open-1/members/heidi")).status).toBe(200);
    expect((await socket.closing()).code).toBe(4503);
    await (await joined(direct("open-1", heidi.wsToken))).leave();
  });
});

describe("A12 the addresses that our own parts use, from outside", () => {
  it.each([
    ["POST", "/parties/main/lobby/people"],
    ["GET", "/parties/main/lobby/people"],
    ["GET", "/parties/main/lobby/admission"],
    ["POST", "/parties/people/orders"],
    ["GET", "/parties/people/orders"],
    ["POST", "/parties/people/alice/visit"],
    ["POST", "/parties/people/alice/order"],
    ["GET", "/parties/people/alice"],
  ])("%s %s is not there, whatever token is brought", async (method, path) => {
    const { token, wsToken } = await mint("mallory");
    const order = { userId: "alice", order: "ban", until: null, requestId: "r", revokedBefore: Date.now() };
    const init = { method, ...(method === "POST" && { body: JSON.stringify(order) }) };
    for (const headers of [{}, { authorization: `Bearer ${token}` }, { authorization: `Bearer ${wsToken}` }]) {
      const answer = await fetch(`${stack.partyUrl}${path}`, { ...init, headers });
      expect({ status: answer.status, code: ((await answer.json()) as { code: string }).code }).toEqual({
        status: 404,
        code: "not_found",
      });
    }
  });

  it("takes no sockets for people", async () => {
    const { wsToken } = await mint("mallory");
    const socket = ChatSocket.withToken(`${stack.partyUrl.replace("http", "ws")}/parties/people/alice`, wsToken);
    expect(await socket.closing()).toEqual({ code: 1006, reason: "" });
  });
});
