import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ChatClient } from "../../client/chat-client.ts";
import { CLOSES } from "../../protocol/errors.ts";
import { FakeWorld, settle } from "./fake-world.ts";
import { joined, live } from "./scripted-server.ts";

let world: FakeWorld;
beforeEach(() => (world = new FakeWorld()));
afterEach(() => world.end());

const waits = (): (number | undefined)[] =>
  world.changes.filter(({ state }) => state === "waiting").map(({ retryInMs }) => retryInMs);

describe("coming back", () => {
  it.each([
    [0, [0, 0, 0, 0, 0, 0]],
    [0.5, [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]],
    [0.999_999, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
  ])("waits with full jitter, up to 2 s at first and 30 s at last (random %d)", async (random, expected) => {
    world.random = () => random;
    const client = world.client();
    void client.connect();
    for (let attempt = 1; attempt <= expected.length; attempt++) {
      (await world.socket(attempt)).lose();
      await world.pass(30_001);
    }
    expect(waits().slice(0, 6).map((ms) => Math.round(ms ?? -1))).toEqual(expected); // prettier-ignore
  });

  it("begins with short waits again only after a connection that lasted", async () => {
    const { socket } = await world.enter();
    socket.lose();
    await world.pass(1_000);
    const second = await world.socket(2);
    second.welcome();
    await world.pass(3_000);
    second.lose();
    expect(waits()).toEqual([1_000, 2_000]);
    await world.pass(2_000);
    const third = await world.socket(3);
    third.welcome();
    await world.pass(9_000);
    third.say({ type: "pong" });
    await world.pass(2_000);
    third.lose();
    expect(waits()).toEqual([1_000, 2_000, 1_000]);
  });

  it.each([1000, 1001, 1006, 1011, 4000, 4002, 4003, 4005, 4008, 4499])("comes back after %i", async (code) => {
    const { socket } = await world.enter();
    socket.lose(code);
    expect(world.changes.at(-1)).toMatchObject({ state: "waiting", code });
    await world.pass(2_000);
    expect(world.sockets).toHaveLength(2);
  });

  const stops = Object.entries(CLOSES).filter(([, code]) => code > 4500 && code !== CLOSES.wrong_token_kind);
  it.each([...stops, ["forbidden", 4999] as const])("stops after %s (%i), and says why", async (reason, code) => {
    const client = world.client();
    const { socket } = await world.enter(0, client);
    socket.lose(code);
    await world.pass(600_000);
    expect(world.sockets).toHaveLength(1);
    expect(world.changes.at(-1)).toMatchObject({ state: "stopped", code, error: { code: reason } });
    expect(world.unauthorized).toEqual([]);
    void client.connect();
    expect(await world.socket(2)).toBeDefined();
  });

  it("names what the server names, which may say more, and may have a name of tomorrow", async () => {
    const client = world.client();
    const { socket } = await world.enter(0, client);
    socket.lose(4599, "quarantined: ask an administrator");
    expect(world.changes.at(-1)).toMatchObject({ state: "stopped", code: 4599, error: { code: "quarantined" } });
  });

  it("after 4029 waits for ten seconds at least, even when the network comes back meanwhile", async () => {
    world.random = () => 0;
    const { socket } = await world.enter();
    socket.lose(4029);
    world.tell("offline");
    world.tell("online");
    await world.pass(9_900);
    expect(world.sockets).toHaveLength(1);
    await world.pass(200);
    expect(world.sockets).toHaveLength(2);
  });

  it("honours how long the server wants to be left alone", async () => {
    world.random = () => 0;
    const { socket } = await world.enter();
    socket.say({ type: "error", code: "rate_limited", message: "Too many", retryAfterMs: 45_000 });
    socket.lose(4005);
    await world.pass(44_000);
    expect(world.sockets).toHaveLength(1);
    await world.pass(1_500);
    expect(world.sockets).toHaveLength(2);
  });

  it("gives up on a socket that is not welcomed", async () => {
    void world.client().connect();
    const socket = await world.socket();
    await world.pass(15_000);
    expect(socket.isClosed).toBe(true);
    expect(world.changes.at(-1)).toMatchObject({ state: "waiting", code: 1006 });
  });

  it("asks in the address for the first room from where it stopped, and joins the others on the socket", async () => {
    const client = world.client();
    client.join("other");
    const { socket } = await world.enter(0, client);
    expect(socket.url.searchParams.get("roomId")).toBe("other");
    socket.say(joined(7, { roomId: "other", messages: [] }));
    expect(socket.all("join_room")).toEqual([{ type: "join_room", roomId: "lobby" }]);
    socket.lose();
    await world.pass(1_000);
    const next = await world.socket(2);
    expect(next.url.searchParams.get("since")).toBe("e1.7");
    next.welcome();
    expect(next.all("join_room")).toEqual([{ type: "join_room", roomId: "lobby", since: { epoch: "e1", seq: 0 } }]);
  });
});

describe("the network", () => {
  it("S2-22 offline is not a time to try, and online is one, but not for all at once", async () => {
    const client = world.client();
    const { socket } = await world.enter(0, client);
    world.tell("offline");
    socket.lose();
    expect(client.connectionState).toBe("offline");
    await world.pass(3_600_000);
    expect(world.sockets).toHaveLength(1);
    world.tell("online");
    expect(world.changes.at(-1)).toMatchObject({ state: "waiting", retryInMs: 1_000 });
    await world.pass(1_000);
    expect(world.sockets).toHaveLength(2);
  });

  it("a page that is seen again probes its socket, and finds out in five seconds that it is dead", async () => {
    const { socket } = await world.enter();
    await world.pass(3_000);
    world.tell("visible");
    expect(socket.all("ping")).toHaveLength(1);
    await world.pass(5_900);
    expect(world.changes).toContainEqual(expect.objectContaining({ state: "waiting", code: 1006 }));
    expect(socket.isClosed).toBe(true);
  });

  it("a socket that answers the probe stays", async () => {
    const { socket } = await world.enter();
    world.tell("visible");
    socket.say({ type: "pong" });
    await world.pass(6_000);
    expect(world.changes.at(-1)?.state).toBe("online");
  });

  it("a page that is seen again does not wait out a long delay", async () => {
    const { socket } = await world.enter();
    world.random = () => 0.999;
    socket.lose();
    (await world.pass(2_000), await world.socket(2)).lose();
    expect(waits().at(-1)).toBeGreaterThan(3_000);
    world.tell("visible");
    await world.pass(500);
    expect(world.sockets).toHaveLength(3);
  });

  it("finds by silence that the other side is gone, within half a minute", async () => {
    const { socket } = await world.enter();
    await world.pass(19_000);
    expect(socket.all("ping")).toEqual([]);
    await world.pass(12_000);
    expect(socket.all("ping")).toHaveLength(1);
    expect(world.changes).toContainEqual(expect.objectContaining({ state: "waiting", code: 1006 }));
  });

  it("answers heads with a ping at once, because timers of hidden pages are slow", async () => {
    const { socket } = await world.enter();
    socket.say({ type: "heads", rooms: { lobby: 0 } });
    expect(socket.all("ping")).toHaveLength(1);
  });
});

describe("an app", () => {
  it("S0-12 disconnects, and nothing happens any more", async () => {
    const client = world.client();
    const { socket } = await world.enter(0, client);
    client.disconnect();
    expect(socket.isClosed).toBe(true);
    expect(client.connectionState).toBe("idle");
    await world.pass(600_000);
    expect(world.sockets).toHaveLength(1);
  });

  it("S0-12 disconnects while connecting: connect() rejects, and a late welcome is not heard", async () => {
    const client = world.client();
    const connecting = client.connect();
    const socket = await world.socket();
    client.disconnect();
    await expect(connecting).rejects.toMatchObject({ code: "stopped" });
    socket.welcome();
    expect(client.connectionState).toBe("idle");
  });

  it("aborts getToken when it disconnects", async () => {
    let aborted = false;
    const client = world.client({
      getToken: ({ signal }) => {
        signal.addEventListener("abort", () => (aborted = true));
        return new Promise(() => {});
      },
    });
    const connecting = client.connect();
    await settle();
    client.disconnect();
    await expect(connecting).rejects.toMatchObject({ code: "stopped" });
    expect(aborted).toBe(true);
  });

  it("S2-22 connects once, however often it is asked", async () => {
    const client = world.client();
    const asked = [client.connect(), client.connect()];
    (await world.socket()).welcome();
    await Promise.all([...asked, client.connect()]);
    expect(world.sockets).toHaveLength(1);
  });

  it("is not broken by what it cannot read: it is told, and the next frame counts", async () => {
    const { room, socket } = await world.enter();
    for (const nonsense of ["", "nonsense", "[]", "null", '{"type":7}', '{"type":"message","roomId":"lobby"}'])
      socket.sayRaw(nonsense);
    socket.say({ ...live(1), content: 5 }, { ...live(1), seq: -1 }, { type: "reaction", unknown: true });
    socket.say({ type: "__proto__" }, { type: "heads", rooms: null }, { ...joined(3), messages: [{}] });
    socket.say({ ...live(1), newField: { of: "tomorrow" } });
    expect(room.messages.map(({ seq }) => seq)).toEqual([1]);
    expect(world.errors.filter(({ code }) => code === "bad_frame")).toHaveLength(9);
    expect(world.changes.at(-1)?.state).toBe("online");
  });

  it("S4-23 new ChatClient(token, roomId) connects and joins, and its events are those of the fifth document", async () => {
    const heard: unknown[] = [];
    const client = new ChatClient("jwt", "general", { apiUrl: "https://chat.test/api", platform: world.platform });
    world.clients.push(client);
    client.on("open", ({ userId }) => heard.push(["open", userId]));
    client.on("message", ({ content }) => heard.push(["message", content]));
    client.on("close", ({ code }) => heard.push(["close", code]));
    client.on("error", ({ code }) => heard.push(["error", code]));
    void client.sendMessage("Hello world!", "general");
    const socket = await world.socket();
    expect(socket.url.href).toBe("wss://chat.test/ws?roomId=general");
    socket.welcome();
    socket.say(joined(0, { roomId: "general" }));
    await settle();
    expect(socket.all("message")).toMatchObject([{ roomId: "general", content: "Hello world!" }]);
    socket.say(live(1, { roomId: "general" }), { type: "error", code: "forbidden", message: "No" });
    client.joinRoom("development");
    expect(socket.all("join_room")).toMatchObject([{ roomId: "development" }]);
    void client.sendMessage("to the room it was made for");
    socket.lose();
    expect(heard).toEqual([["open", "alice"], ["message", "text 1"], ["error", "forbidden"], ["close", 1006]]); // prettier-ignore
  });
});
