import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatSocket } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
let wsToken: string;
beforeAll(async () => {
  stack = await startStack({ TOKEN_RATE_LIMIT: "1000" });
  const authorization = `Bearer ${await stack.session("alice")}`;
  const reply = await fetch(`${stack.apiUrl}/v1/token`, { method: "POST", headers: { authorization } });
  ({ wsToken } = (await reply.json()) as { wsToken: string });
});
afterAll(() => stack?.stop());

const enter = async () => {
  const socket = ChatSocket.withToken(stack.roomUrl("lobby"), wsToken);
  const joined = await socket.next("room_joined");
  return { socket, joined };
};
const send = async (socket: ChatSocket, content: string) => {
  socket.say({ type: "message", roomId: "lobby", content, clientMessageId: `message-${content}` });
  return await socket.next("ack", ({ clientMessageId }) => clientMessageId === `message-${content}`);
};

describe("a running stack", () => {
  it("has its rooms killed and started again, with all that they had acknowledged", async () => {
    const before = await enter();
    const ack = await send(before.socket, "before");
    await stack.rooms.kill();
    expect(await before.socket.closing()).toMatchObject({ code: 1006 });
    await expect(fetch(`${stack.partyUrl}/healthz`)).rejects.toThrow("fetch failed");
    expect(await stack.rooms.residentBytes()).toBe(0);
    await stack.rooms.start();
    const after = await enter();
    expect(after.joined).toMatchObject({ epoch: ack.epoch, seq: ack.seq });
    expect(after.joined.messages.map(({ content }) => content)).toContain("before");
    expect(await stack.rooms.residentBytes()).toBeGreaterThan(10_000_000);
    await after.socket.leave();
  });

  it("has its rooms stopped in their tracks, and let go on", async () => {
    const { socket } = await enter();
    stack.rooms.pause();
    const ack = send(socket, "stopped");
    const answered = await fetch(`${stack.partyUrl}/healthz`, { signal: AbortSignal.timeout(500) }).catch(
      () => undefined,
    );
    expect(answered).toBeUndefined();
    expect(socket.all("ack")).toEqual([]);
    stack.rooms.resume();
    expect((await ack).duplicate).toBe(false);
    await socket.leave();
  });

  it("counts none of that as broken, but does when its rooms end by themselves", async () => {
    const settled = await Promise.race([stack.broken.then(() => true), Promise.resolve(false)]);
    expect(settled).toBe(false);
    await stack.rooms.kill();
    await stack.rooms.start();
    const { pid } = stack.rooms;
    process.kill(-pid, "SIGKILL");
    expect((await stack.broken).message).toContain("The rooms process was killed");
  });
});
