// @vitest-environment happy-dom
import { act, cleanup, render } from "@testing-library/react";
import { createElement as h, type ReactNode, StrictMode } from "react";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { provided, Room, server, startServer, TokenRoom, tokenOf } from "./chat-app.ts";

const MOUNTS = 1_000;

beforeAll(startServer);
afterEach(cleanup);
afterAll(() => server.stop());

const open = () => server.sockets.filter(({ closed }) => closed === undefined).length;
/** One turn of the event loop, in which sockets may get a little further. */
const turn = () => new Promise((done) => setImmediate(done));

function withToken(): ReactNode {
  return h(TokenRoom, { token: tokenOf("bob"), apiUrl: server.apiUrl });
}

it.each([
  ["a provider", () => provided({}, h(Room, { roomId: "lobby" }))],
  ["useChat with a token", withToken],
])(
  `S0-12 %s leaves no socket behind after ${MOUNTS.toLocaleString("en")} mounts in StrictMode, taken down at any moment`,
  async (_what, app) => {
    const before = server.sockets.length;
    let mostOpen = 0;
    for (let mount = 0; mount < MOUNTS; mount++) {
      const { unmount } = render(h(StrictMode, {}, app()));
      // From before the first attempt to after the first frames.
      for (let turns = mount % 12; turns > 0; turns--) await act(turn);
      mostOpen = Math.max(mostOpen, open());
      unmount();
      if (mount % 3 === 0) await turn();
    }
    await server.until(() => open() === 0, "the end of every socket");
    const made = server.sockets.length - before;
    expect(made).toBeGreaterThan(MOUNTS / 50); // or nothing was tested: most are taken over by the next mount, or too short
    expect(made).toBeLessThanOrEqual(MOUNTS);
    expect(mostOpen).toBeLessThan(20);
    console.log(`${MOUNTS} mounts: ${made} sockets, at most ${mostOpen} at a time, 0 left`);
  },
  60_000,
);

it("S0-12 a socket stays when the same tree is taken down and put up again at once", async () => {
  const { rerender } = render(h("div", { key: 1 }, withToken()));
  const nth = server.sockets.length;
  const socket = await server.socket(nth);
  rerender(h("div", { key: 2 }, withToken()));
  await act(turn);
  expect([server.sockets.length, socket.closed]).toEqual([nth + 1, undefined]);
});
