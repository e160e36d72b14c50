import { describe, expect, it, vi } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { gateway, openGatewayForEachTest } from "./each-gateway.ts";
import { NOW, settle } from "./fake-sockets.ts";
import { message } from "./said.ts";

openGatewayForEachTest();

const noted = () => gateway.audit.map(({ channelId, detail }) => [channelId, detail]);

describe("what no room hears of, in the audit log", () => {
  it("S4-27 names who, the room, the kind of frame and the socket", async () => {
    const { client } = await gateway.joined();
    client.say(message("elsewhere"));
    const [entry] = gateway.audit;
    expect(gateway.audit).toHaveLength(1);
    expect(entry).toMatchObject({
      action: "request.refuse",
      actor: "alice",
      channelId: "elsewhere",
      subject: "elsewhere",
      detail: "message forbidden",
      at: NOW,
      requestId: client.ofType("welcome")[0]?.["connectionId"],
    });
  });

  it("S4-27 has a room that is being left, one too many, one that nobody may have, and joins that come too fast", async () => {
    const { client } = await gateway.joined();
    const room = await gateway.join(client, "left");
    client.say({ type: "leave_room", roomId: "left" }, message("left"));
    room.say({ type: "room_left", roomId: "left" });
    client.say({ type: "join_room", roomId: "main" });
    for (let n = 2; n < LIMITS.roomsPerSocket; n++) await gateway.join(client, `room-${n}`);
    client.say({ type: "join_room", roomId: "too-fast" });
    await vi.advanceTimersByTimeAsync(1_000);
    await gateway.join(client, "the-last");
    client.say({ type: "join_room", roomId: "one-more" });
    await settle();
    expect(noted()).toEqual([
      ["left", "message forbidden"],
      ["main", "join_room room_not_found"],
      ["too-fast", "join_room rate_limited"],
      ["one-more", "join_room forbidden"],
    ]);
    expect(room.ofType("message")).toEqual([]);
  });

  it("O08 cannot be flooded by naming another room each time", async () => {
    const { client } = await gateway.joined();
    for (let n = 1; n <= 150; n++) client.say(message(`room-${n}`));
    expect(noted()).toEqual([
      ["room-1", "message forbidden"],
      ["room-10", "message forbidden x10"],
      ["room-100", "message forbidden x100"],
    ]);
    await vi.advanceTimersByTimeAsync(60_000);
    client.say(message("room-1"));
    expect(noted().slice(3)).toEqual([["room-1", "message forbidden"]]);
  });

  it("is silent about frames that cannot be read, and what a room answers", async () => {
    const { client, lobby } = await gateway.joined();
    client.hear("{");
    client.say({ type: "nonsense" });
    lobby.hangUp("forbidden", "forbidden");
    expect(client.ofType("error")).toHaveLength(3);
    expect(gateway.audit).toEqual([]);
  });
});
