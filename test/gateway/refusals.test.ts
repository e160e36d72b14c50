import { describe, expect, it, vi } from "vitest";
import { gateway, openGatewayForEachTest } from "./each-gateway.ts";
import { settle } from "./fake-sockets.ts";
import { numbered as message } from "./said.ts";

openGatewayForEachTest(1);

describe("a room that refuses", () => {
  it.each([
    [4503, "forbidden"],
    [4504, "room_not_found"],
    [4506, "forbidden"],
    [4501, "internal"],
    [4999, "internal"],
  ])("A01 W16 with %i is told as %s, for that room only", async (code, error) => {
    const { client } = await gateway.joined();
    client.say({ type: "join_room", roomId: "team" });
    await settle();
    client.say({ ...message(1), roomId: "team" });
    gateway.room("team").hangUp(code);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(client.ofType("error")).toMatchObject([{ code: error, roomId: "team" }]);
    expect(client.closed).toBeUndefined();
    expect(gateway.rooms).toHaveLength(2);
    client.say({ type: "join_room", roomId: "team" });
    await settle();
    expect(gateway.rooms).toHaveLength(3);
  });

  it("A09 ends the whole socket of a user who was banned from the app", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp("banned", "banned: everywhere");
    expect(client.closed).toMatchObject({ code: 4506 });
  });

  it("J24 ends the whole socket of a user whose tokens were revoked", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp("invalid_token", "invalid_token");
    expect(client.closed).toMatchObject({ code: 4500 });
  });

  it("A10 tells of the one room a user was removed from, and the socket lives", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp("forbidden", "forbidden");
    expect(client.ofType("error")).toMatchObject([{ code: "forbidden", roomId: "lobby" }]);
    expect(client.closed).toBeUndefined();
  });

  it("A09 closes one that was open, for a user who was banned there", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp("banned");
    expect(client.ofType("error")).toMatchObject([{ code: "forbidden", roomId: "lobby" }]);
    expect(client.closed).toBeUndefined();
  });

  it.each([4001, 4002, 4029, 4500, 4502, 4507, 4508])(
    "closes the client's socket with %i, because that concerns more than the room",
    async (code) => {
      const { client, lobby } = await gateway.joined();
      lobby.hangUp(code);
      await vi.advanceTimersByTimeAsync(20_000);
      expect(client.closed).toMatchObject({ code });
      expect(gateway.rooms).toHaveLength(1);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it("X03 does not bring back a client that the room took for dead, when it is silent here too", async () => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "ping" });
    await vi.advanceTimersByTimeAsync(36_000);
    lobby.hangUp("resync");
    expect(client.closed).toMatchObject({ code: 4003 });
  });
});
