import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeWorld } from "./fake-world.ts";

let world: FakeWorld;
beforeEach(() => (world = new FakeWorld()));
afterEach(() => world.end());

describe("an address that no socket can be opened to", () => {
  const WS_URL = "chat.test:8787/ws";
  /** What runtimes throw: for what is no address, and for an unsafe one on a safe page. */
  const thrower = (error: Error) =>
    function () {
      throw error;
    } as never;

  it.each([
    ["this runtime's own WebSocket", globalThis.WebSocket],
    ["a TypeError", thrower(new TypeError("Invalid URL"))],
    ["a SecurityError", thrower(new DOMException("An insecure connection may not be initiated", "SecurityError"))],
  ])("stops at once with %s, names the address, and is not tried again", async (_what, WebSocket) => {
    const client = world.client({
      token: "r",
      wsToken: "w",
      wsUrl: WS_URL,
      platform: { ...world.platform, WebSocket },
    });
    await expect(client.connect()).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringContaining(`"${WS_URL}"`) as string,
    });
    await world.pass(600_000);
    expect(world.changes.map(({ state }) => state)).toEqual(["connecting", "stopped"]);
    expect([world.unauthorized, world.errors]).toEqual([[], []]);
  });

  it("stops when the token endpoint tells such an address, and asks it no more", async () => {
    let asked = 0;
    const client = world.client({
      apiUrl: undefined,
      platform: { ...world.platform, WebSocket: globalThis.WebSocket },
      getToken: async () => ({ token: "r", wsToken: `w${++asked}`, wsUrl: WS_URL }),
    } as never); // an app that tells no address at all
    await expect(client.connect()).rejects.toMatchObject({ code: "bad_request" });
    await world.pass(600_000);
    expect([client.connectionState, asked]).toEqual(["stopped", 1]);
  });
});
