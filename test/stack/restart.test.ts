import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatSocket } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ RATE_LIMIT_MAX_MESSAGES: "10000" });
});
afterAll(() => stack?.stop());

const PATIENCE_MS = 30_000;
/** Opens a socket at a door, from where its client stopped if it says so. */
async function open(door: "gateway" | "room", user: string, room: string, since?: { epoch: string; seq: number }) {
  const position = since === undefined ? "" : `since=${since.epoch}.${since.seq}`;
  const address =
    door === "gateway" ? `${stack.wsUrl}?roomId=${room}&${position}` : `${stack.roomUrl(room)}?${position}`;
  const socket = ChatSocket.withToken(address.replace(/[?&]$/, ""), await stack.token(user));
  return { socket, joined: await socket.next("room_joined", undefined, PATIENCE_MS) };
}
const say = (socket: ChatSocket, roomId: string, n: number): void =>
  socket.say({ type: "message", roomId, content: `message ${n}`, clientMessageId: `message-${n}` });
const restart = async (part: "rooms" | "worker"): Promise<void> => {
  await stack[part].kill();
  await stack[part].start();
};

describe("D13 the rooms and the Worker replaced under open sockets", () => {
  it("a client of the gateway notices nothing of the rooms; all others resume without a hole, whichever half it was", async () => {
    const viaGateway = await open("gateway", "anna", "replaced");
    const direct = await open("room", "dora", "replaced");
    say(direct.socket, "replaced", 1);
    const { epoch, seq } = await direct.socket.next("ack");
    await viaGateway.socket.next("message", (message) => message.seq === 1);

    await restart("rooms");
    await direct.socket.closing();
    // Held while the room is away, for a while; whoever hears nothing says it again, under the same id.
    await expect
      .poll(
        () => {
          say(viaGateway.socket, "replaced", 2);
          return viaGateway.socket.all("ack")[0];
        },
        { timeout: PATIENCE_MS, interval: 2_000 },
      )
      .toMatchObject({ seq: 2, epoch });
    const back = await open("room", "dora", "replaced", { epoch, seq });
    expect(back.joined).toMatchObject({ recovered: true, messages: [{ seq: 2, content: "message 2" }] });

    await restart("worker");
    await viaGateway.socket.closing();
    say(back.socket, "replaced", 3);
    await back.socket.next("ack");
    const again = await open("gateway", "anna", "replaced", { epoch, seq: 2 });
    expect(again.joined).toMatchObject({ recovered: true, messages: [{ seq: 3, content: "message 3" }] });
    expect(viaGateway.socket.all("message").map((message) => message.seq)).toEqual([1, 2]);
    await Promise.all([back.socket.leave(), again.socket.leave()]);
  });
});

describe("D12 the rooms killed in the middle of it all", () => {
  it("what was acked is there at its place, once, and the rest can be sent again under the same ids", async () => {
    const COUNT = 400;
    const { socket } = await open("room", "sender", "killed");
    for (let n = 1; n <= COUNT; n++) say(socket, "killed", n);
    await socket.next("ack", ({ seq }) => seq >= 50);
    await restart("rooms");
    await socket.closing();
    const acked = socket.all("ack");
    const { socket: again } = await open("room", "sender", "killed");
    for (let n = 1; n <= COUNT; n++) say(again, "killed", n);
    await expect.poll(() => again.all("ack").length, { timeout: PATIENCE_MS }).toBe(COUNT);
    const places = new Map(again.all("ack").map(({ clientMessageId, seq }) => [clientMessageId, seq]));
    for (const { clientMessageId, seq } of acked) expect(places.get(clientMessageId)).toBe(seq);
    expect([...places.values()].toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: COUNT }, (_, at) => at + 1),
    );
    expect(again.all("ack").filter(({ duplicate }) => duplicate).length).toBeGreaterThanOrEqual(acked.length);
    await again.leave();
  });
});

describe("I13 a crowd that comes back after a kill", () => {
  it("is back within 30 s, all of it, with what it missed, and nobody is refused", async () => {
    const crowd = await Promise.all(Array.from({ length: 80 }, (_, at) => open("gateway", `crowd-${at}`, "storm")));
    await restart("rooms");
    const restartedAt = Date.now();
    const { socket: speaker } = await open("room", "speaker", "storm");
    say(speaker, "storm", 1);
    await Promise.all(crowd.map(({ socket }) => socket.next("message", ({ seq }) => seq === 1, PATIENCE_MS)));
    expect(Date.now() - restartedAt).toBeLessThan(30_000);
    // While there is no room, that may be said of it; nothing else went wrong.
    const errors = crowd.flatMap(({ socket }) => socket.all("error"));
    expect(errors.filter(({ code, roomId }) => code !== "storage_unavailable" || roomId !== "storm")).toEqual([]);
    expect(crowd.filter(({ socket }) => socket.closed !== undefined)).toEqual([]);
    for (const { socket } of crowd) expect(socket.all("message").map(({ seq }) => seq)).toEqual([1]);
    await Promise.all([speaker, ...crowd.map(({ socket }) => socket)].map((socket) => socket.leave()));
  });
});
