import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChatTokens } from "../../client/types.ts";
import { FakeWorld, settle } from "./fake-world.ts";
import { ack, joined } from "./scripted-server.ts";

let world: FakeWorld;
beforeEach(() => (world = new FakeWorld()));
afterEach(() => world.end());

/** Tokens t1, t2, … that live for an hour; `asked` counts. */
function issuer(more: Partial<ChatTokens> = {}) {
  const issued = { asked: 0, underWay: 0, most: 0, fail: undefined as Error | undefined };
  const getToken = async (): Promise<ChatTokens> => {
    issued.asked++;
    issued.most = Math.max(issued.most, ++issued.underWay);
    await Promise.resolve();
    issued.underWay--;
    if (issued.fail !== undefined) throw issued.fail;
    return { token: `r${issued.asked}`, wsToken: `t${issued.asked}`, expiresIn: 3_600, ...more };
  };
  return { issued, getToken };
}

describe("getToken", () => {
  it("is asked for the first attempt, and not again for a reconnect while the token lives", async () => {
    const { issued, getToken } = issuer();
    const { socket } = await world.enter(0, world.client({ getToken }));
    expect(socket).toMatchObject({ token: "t1", protocols: ["chat.v1.lines", "chat.token.t1"] });
    socket.lose();
    await world.pass(2_000);
    expect((await world.socket(2)).token).toBe("t1");
    expect(issued.asked).toBe(1);
  });

  it("S3-8 S2-24 is asked at five sixths of the life, and the socket goes on with the new token", async () => {
    const { issued, getToken } = issuer();
    const { socket } = await world.enter(0, world.client({ getToken }));
    const alive = setInterval(() => socket.say({ type: "pong" }), 1_000);
    await world.pass(2_990_000);
    expect(issued.asked).toBe(1);
    await world.pass(15_000);
    expect(issued.asked).toBe(2);
    expect(socket.all("refresh")).toEqual([{ type: "refresh", token: "t2" }]);
    expect(world.sockets).toHaveLength(1);
    clearInterval(alive);
  });

  it("is asked earlier when the server says that the token has less to live than the issuer said", async () => {
    const { issued, getToken } = issuer();
    const client = world.client({ getToken });
    void client.connect();
    const socket = await world.socket();
    socket.welcome("alice", 60_000);
    const alive = setInterval(() => socket.say({ type: "pong" }), 1_000);
    await world.pass(52_000);
    expect(issued.asked).toBe(2);
    clearInterval(alive);
  });

  it("a refresh that fails is tried again later, with the socket open", async () => {
    const { issued, getToken } = issuer({ expiresIn: 60 });
    const { socket } = await world.enter(0, world.client({ getToken }));
    const alive = setInterval(() => socket.say({ type: "pong" }), 1_000);
    issued.fail = new Error("offline");
    await world.pass(56_000);
    expect(issued.asked).toBeGreaterThan(1);
    expect(issued.asked).toBeLessThan(6);
    issued.fail = undefined;
    await world.pass(20_000);
    expect(socket.all("refresh")).toHaveLength(1);
    clearInterval(alive);
  });

  it("has one request in flight, however many ask", async () => {
    const { issued, getToken } = issuer();
    const client = world.client({ getToken });
    world.answer = () => ({ status: 200, body: { channels: [], next: null } });
    void client.connect();
    await Promise.all([client.channels(), client.channels(), client.presence("lobby")]);
    expect(issued).toMatchObject({ asked: 1, most: 1 });
  });

  it("backs off with jitter while it fails, and connects when it works again", async () => {
    const { issued, getToken } = issuer();
    issued.fail = new Error("no network");
    const client = world.client({ getToken });
    void client.connect();
    await world.pass(60_000);
    expect(issued.asked).toBeGreaterThan(3);
    expect(issued.asked).toBeLessThan(12);
    expect(client.connectionState).toBe("waiting");
    issued.fail = undefined;
    await world.pass(30_000);
    expect(world.sockets).toHaveLength(1);
    expect(world.unauthorized).toEqual([]);
  });

  it("is final when it says that there will be none", async () => {
    const { issued, getToken } = issuer();
    issued.fail = Object.assign(new Error("signed out"), { status: 401 });
    const client = world.client({ getToken });
    await expect(client.connect()).rejects.toMatchObject({ code: "unauthorized" });
    expect(client.connectionState).toBe("stopped");
    expect(world.unauthorized).toHaveLength(1);
    await world.pass(600_000);
    expect(issued.asked).toBe(1);
  });

  it("is asked again after 4001, with a fresh token for the next attempt", async () => {
    const { issued, getToken } = issuer();
    const { socket } = await world.enter(0, world.client({ getToken }));
    await world.pass(8_000);
    socket.lose(4001);
    await world.pass(2_000);
    expect((await world.socket(2)).token).toBe("t2");
    expect(issued.asked).toBe(2);
  });

  it.each([4001, 4500, 4502])("a fresh token that is refused with %i is final, and told once", async (code) => {
    const { issued, getToken } = issuer();
    const client = world.client({ getToken });
    const connecting = client.connect();
    (await world.socket()).lose(code);
    await expect(connecting).rejects.toMatchObject({ name: "ChatError" });
    await world.pass(600_000);
    expect(client.connectionState).toBe("stopped");
    expect(world.unauthorized).toHaveLength(1);
    expect(issued.asked).toBe(1);
    expect(world.sockets).toHaveLength(1);
  });

  it("a token that grew old over failed attempts may be refused: the next one is fresh", async () => {
    const { issued, getToken } = issuer();
    void world.client({ getToken }).connect();
    (await world.socket()).lose(1006);
    await world.pass(2_000);
    (await world.socket(2)).lose(4001);
    await world.pass(4_000);
    expect((await world.socket(3)).token).toBe("t2");
    expect(issued.asked).toBe(2);
    expect(world.unauthorized).toEqual([]);
  });

  it("S3-8 a request that is refused is asked once more with a new token", async () => {
    const { getToken } = issuer();
    const client = world.client({ getToken });
    world.answer = (_url, token) =>
      token === "r1"
        ? { status: 401, body: { code: "token_expired" } }
        : { status: 200, body: { channels: [], next: null } };
    void client.connect();
    (await world.socket()).lose(1006); // so it is not fresh any more
    expect(await client.channels()).toEqual({ channels: [], next: null });
    expect(world.requests.map(({ token }) => token)).toEqual(["r1", "r2"]);
  });

  it("a fresh token that a request is refused with is final, unless it is only too new for the server's clock", async () => {
    const { issued, getToken } = issuer();
    const client = world.client({ getToken });
    await world.enter(0, client);
    world.answer = () => ({ status: 401, body: { code: "token_not_yet_valid" } });
    await expect(client.channels()).rejects.toMatchObject({ code: "token_not_yet_valid" });
    expect([client.connectionState, world.unauthorized, issued.asked]).toEqual(["online", [], 1]);
    world.answer = () => ({ status: 401, body: { code: "bad_signature" } });
    await expect(client.channels()).rejects.toMatchObject({ code: "bad_signature" });
    expect([client.connectionState, world.unauthorized.length, issued.asked]).toEqual(["stopped", 1, 2]);
  });

  it("tokens of another user are not used", async () => {
    const client = world.client({ getToken: issuer({ userId: "mallory" }).getToken, userId: "alice" });
    await expect(client.connect()).rejects.toMatchObject({ code: "bad_claims" });
    expect(world.sockets).toEqual([]);
  });
});

describe("fixed tokens", () => {
  it("S3-10 tell unauthorized once when they end, and setTokens goes on", async () => {
    const client = world.client();
    const told: string[] = [];
    const subscription = client.on("unauthorized", ({ error }) => told.push(error.message));
    const { room, socket } = await world.enter(0, client);
    await world.pass(8_000);
    const sending = room.send("waits");
    socket.lose(4001);
    await world.pass(600_000);
    expect(client.connectionState).toBe("stopped");
    expect(told).toHaveLength(1);
    subscription.remove();
    client.setTokens({ token: "rest2", wsToken: "ws2" });
    const next = await world.socket(2);
    expect(next.token).toBe("ws2");
    next.welcome();
    next.say(joined(0));
    await settle();
    next.say(ack(next.nth("message"), 1));
    expect(await sending).toMatchObject({ seq: 1 });
    expect(told).toHaveLength(1);
  });

  it("setTokens refreshes an open socket in place", async () => {
    const client = world.client();
    const { socket } = await world.enter(0, client);
    client.setTokens({ token: "rest2", wsToken: "ws2" });
    expect(socket.all("refresh")).toEqual([{ type: "refresh", token: "ws2" }]);
  });

  it("with only a wsToken there is no HTTP, and it says so", async () => {
    await expect(world.client({ wsToken: "ws" }).channels()).rejects.toMatchObject({ code: "token_missing" });
  });
});
