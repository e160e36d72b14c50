import { describe, expect, it, vi } from "vitest";
import { ChatError } from "../../protocol/errors.ts";
import { gateway, openGatewayForEachTest } from "./each-gateway.ts";

openGatewayForEachTest(1);

const unavailable = new ChatError("rooms_unavailable");

describe("how often a room that breaks is asked", () => {
  it("S4-31 waits longer each time, and at random", async () => {
    const { lobby } = await gateway.joined();
    gateway.failDials(unavailable);
    const tries = vi.spyOn(gateway, "onDial");
    lobby.hangUp(1006);
    const times: number[] = [];
    for (let at = 0; at <= 4_000; at += 250) {
      await vi.advanceTimersByTimeAsync(250);
      if (tries.mock.calls.length > times.length) times.push(at + 250);
    }
    expect(times).toEqual([250, 750, 1_750, 3_750]);
  });

  it("is not asked ever so often when it lets in and breaks at once", async () => {
    const { lobby } = await gateway.joined();
    lobby.hangUp(1006);
    for (let n = 0; n < 100; n++) {
      await vi.advanceTimersByTimeAsync(100);
      const room = gateway.room("lobby");
      if (room.closed !== undefined) continue;
      room.letIn();
      room.hangUp(1006);
    }
    expect(gateway.rooms.length).toBeLessThan(8);
  });

  it("is asked soon again when it had been well for a while", async () => {
    const { lobby } = await gateway.joined();
    gateway.failDials(unavailable);
    lobby.hangUp(1006);
    await vi.advanceTimersByTimeAsync(4_000);
    gateway.mendDials();
    await vi.advanceTimersByTimeAsync(8_000);
    gateway.room("lobby").letIn();
    await vi.advanceTimersByTimeAsync(6_000);
    gateway.room("lobby").hangUp(1006);
    await vi.advanceTimersByTimeAsync(250);
    expect(gateway.rooms).toHaveLength(3);
  });

  it("is given up when it does not let in, and asked again", async () => {
    await gateway.enter();
    const silent = gateway.room("lobby");
    await vi.advanceTimersByTimeAsync(8_250);
    expect(silent.closed).toBeDefined();
    expect(gateway.rooms).toHaveLength(2);
  });
});
