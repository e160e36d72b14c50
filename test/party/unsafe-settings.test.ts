import type * as Party from "partykit/server";
import { describe, expect, it, vi } from "vitest";
import Room from "../../party/index.ts";
import People from "../../party/people.ts";

/** A room without any settings: a platform that offers nothing but storage is enough to find out. */
function unsafe() {
  const setAlarm = vi.fn(async (_at: number) => {});
  const room = { env: { ENVIRONMENT: "production" }, storage: { setAlarm } } as unknown as Party.Room;
  return { room, setAlarm };
}

describe.each([
  { party: "a room", open: (room: Party.Room) => new Room(room) },
  { party: "a person", open: (room: Party.Room) => new People(room) },
])("with settings that are not safe, $party", ({ open }) => {
  it("is due again in a minute when its alarm rings", async () => {
    const { room, setAlarm } = unsafe();
    await open(room).onAlarm();
    const inMs = (setAlarm.mock.calls[0]?.[0] ?? 0) - Date.now();
    expect(inMs).toBeGreaterThan(50_000);
    expect(inMs).toBeLessThanOrEqual(60_000);
  });

  it("answers our own Worker with 503", async () => {
    const request = { method: "POST", headers: new Headers(), url: "http://rooms.test/x", text: async () => "{}" };
    const answer = await open(unsafe().room).onRequest(request);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ code: "config_invalid" });
  });
});
