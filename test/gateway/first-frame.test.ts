import { describe, expect, it, vi } from "vitest";
import { gateway, openGatewayForEachTest } from "./each-gateway.ts";

openGatewayForEachTest();

const LINES = { headers: { "sec-websocket-protocol": "chat.v1.lines" } };
const auth = async () => JSON.stringify({ type: "auth", token: await gateway.token() });
const PING = '{"type":"ping"}';

describe("a token in the first frame", () => {
  it("may come together with other frames, for who sends lines", async () => {
    const { socket } = await gateway.open(LINES);
    socket.hear([await auth(), PING, PING].join("\n"));
    socket.hear(`${PING}\n${PING}`);
    await vi.waitFor(() => expect(socket.ofType("pong")).toHaveLength(4));
    expect(socket.frames[0]).toMatchObject({ type: "welcome" });
  });

  it("comes alone, for who sends one frame at a time", async () => {
    const { socket } = await gateway.open();
    socket.hear([await auth(), PING].join("\n"));
    await vi.waitFor(() => expect(socket.closed).toMatchObject({ code: 4501 }));
  });

  it.each([
    ["another line before it", `${PING}\n`, "", 4501],
    ["nothing at all", "\n\n", "", 4501],
    ["a line too big behind it", "", `\n${" ".repeat(9)}${"x".repeat(16_385)}`, 4509],
    ["more lines behind it than are kept", "", `\n${PING}`.repeat(65), 4029],
  ])("ends a socket that sends %s", async (_case, before, behind, code) => {
    const { socket } = await gateway.open(LINES);
    const text = before.trim() === "" && behind === "" ? before : `${before}${await auth()}${behind}`;
    socket.hear(text);
    await vi.waitFor(() => expect(socket.closed).toMatchObject({ code }));
    await vi.advanceTimersByTimeAsync(0);
    expect(gateway.rooms).toEqual([]);
  });
});
