import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { states } from "./conversation.ts";
import { FakeWorld, settle } from "./fake-world.ts";
import { joined } from "./scripted-server.ts";

let world: FakeWorld;
beforeEach(() => (world = new FakeWorld()));
afterEach(() => world.end());

describe("a room that will not have us", () => {
  it("is refused, with what was to be sent kept as failed, until it is joined again", async () => {
    const client = world.client();
    const { room, socket } = await world.enter(0, client);
    const sending = room.send("hello?");
    socket.say({ type: "error", code: "forbidden", message: "You are banned", roomId: "lobby" });
    await expect(sending).rejects.toMatchObject({ code: "forbidden" });
    expect(room.state).toMatchObject({ status: "refused", error: { code: "forbidden" } });
    expect(states(room)).toEqual(["hello?: failed"]);
    client.join("lobby");
    expect(socket.all("join_room")).toHaveLength(1);
    expect(room.state.status).toBe("joining");
  });

  it("asks again when something is to be sent, which then goes out, or fails with the reason", async () => {
    const { room, socket } = await world.enter();
    const refusal = { type: "error", code: "forbidden", message: "At most 50 rooms", roomId: "lobby" };
    socket.say(refusal);
    const sending = room.send("is there a place now?");
    expect(socket.all("join_room")).toHaveLength(1);
    socket.say(refusal);
    await expect(sending).rejects.toMatchObject({ code: "forbidden", message: "At most 50 rooms" });
    void room.send("and now?");
    socket.say(joined(0));
    expect(socket.all("message")).toMatchObject([{ content: "and now?" }]);
    expect(states(room)).toEqual(["is there a place now?: failed", "and now?: sending"]);
  });

  it("joins again by itself when the way to the room broke", async () => {
    const { room, socket } = await world.enter();
    socket.say({ type: "error", code: "storage_unavailable", message: "Out", roomId: "lobby", retryAfterMs: 5_000 });
    expect(room.state.status).toBe("joining");
    await world.pass(9_000);
    expect(socket.all("join_room").length).toBeGreaterThan(0);
    socket.say(joined(0));
    expect(room.state.status).toBe("joined");
  });
});

describe("a client that has stopped", () => {
  it("is in no room any more", async () => {
    const client = world.client();
    const { room } = await world.enter(0, client);
    world.answer = () => ({ status: 401, body: { code: "token_revoked" } });
    await expect(client.channels()).rejects.toMatchObject({ code: "token_revoked" });
    expect([client.connectionState, room.state.status]).toEqual(["stopped", "joining"]);
  });
});

describe("joining and leaving", () => {
  it("gives the same room for the same id, and leaves it after as many leaves as joins", async () => {
    const client = world.client();
    const { room, socket } = await world.enter(0, client);
    expect(client.join("lobby")).toBe(room);
    room.leave();
    await settle();
    expect(socket.all("leave_room")).toEqual([]);
    room.leave();
    room.leave();
    await settle();
    expect(socket.all("leave_room")).toEqual([{ type: "leave_room", roomId: "lobby" }]);
    expect([room.state.status, client.rooms]).toEqual(["left", []]);
  });

  it("S0-12 leaving and joining in one go is no leaving", async () => {
    const client = world.client();
    const { room, socket } = await world.enter(0, client);
    room.leave();
    client.join("lobby");
    await settle();
    expect(socket.all("leave_room")).toEqual([]);
    expect(room.state.status).toBe("joined");
  });

  it("leaves the lobby that nobody asked for, once there is another room", async () => {
    const client = world.client();
    void client.connect();
    const socket = await world.socket();
    socket.welcome();
    client.join("other");
    socket.say(joined(0));
    expect(socket.all("leave_room")).toEqual([{ type: "leave_room", roomId: "lobby" }]);
  });
});
