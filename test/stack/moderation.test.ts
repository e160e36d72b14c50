import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { AuditPage, HistoryPage, TokenReply } from "../../protocol/http.ts";
import { ChatSocket } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ TOKEN_RATE_LIMIT: "1000", ENABLE_MODERATION: "true" });
});
afterAll(() => stack?.stop());

const call = async <Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${stack.apiUrl}${path}`, {
    method,
    headers: { "x-api-key": stack.apiKey, "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  return (await response.json()) as Body; // the route's documented answer
};
const mint = (userId: string) => call<TokenReply>("POST", "/v1/tokens", { userId });
const audit = async (channelId: string) =>
  (await call<AuditPage>("GET", `/v1/audit?channelId=${channelId}&limit=200`)).entries;
const history = async (channelId: string, token: string) => {
  const path = `/v1/channels/${channelId}/messages`;
  const response = await fetch(`${stack.apiUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return ((await response.json()) as HistoryPage).messages.map(({ content }) => content);
};

/** A channel with settings of its own, and Alice in it: directly, or through the gateway. */
async function open(id: string, settings: object, by: "direct" | "gateway") {
  await call("POST", "/v1/channels", { channelId: id });
  await call("PUT", `/v1/channels/${id}/moderation`, settings);
  const { token, wsToken } = await mint("alice");
  const url = by === "direct" ? stack.roomUrl(id) : `${stack.wsUrl}?roomId=${id}`;
  const socket = ChatSocket.withToken(url, wsToken);
  await socket.next("room_joined");
  const say = (content: string, clientMessageId: string) =>
    socket.say({ type: "message", roomId: id, content, clientMessageId });
  return { socket, say, token };
}

it("S0-27 changes a live room at once", async () => {
  const { socket, say } = await open("changing", { mode: "off" }, "gateway");
  say("what the fuck", "cid-000001");
  expect(await socket.next("ack")).not.toHaveProperty("moderation");
  await call("PUT", "/v1/channels/changing/moderation", { mode: "block" });
  let tries = 0;
  const patience = { timeout: 4_000, interval: 200 };
  await vi.waitFor(() => {
    say("what the fuck", `cid-1000${10 + ++tries}`);
    expect(socket.all("error").map(({ code }) => code)).toContain("blocked_by_moderation");
  }, patience);
});

describe.each(["direct", "gateway"] as const)("moderation with everything running, by a socket that is %s", (by) => {
  const idOf = (mode: string) => `${mode}-${by}`;

  it("S0-27 blocks, by the filter's own words and the channel's", async () => {
    const { socket, say, token } = await open(idOf("block"), { mode: "block", blocked: ["wibble"] }, by);
    for (const [index, content] of ["what the f\u200buck", "W1bble!"].entries()) {
      say(content, `cid-00000${index}`);
      expect(await socket.next("error")).toMatchObject({
        code: "blocked_by_moderation",
        clientMessageId: `cid-00000${index}`,
        roomId: idOf("block"),
      });
    }
    say("what a day", "cid-000009");
    expect(await socket.next("ack")).toMatchObject({ seq: 1, clientMessageId: "cid-000009" });
    expect(await history(idOf("block"), token)).toEqual(["what a day"]);
  });

  it("S0-27 S0-28 masks, says so, and has it in the audit log", async () => {
    const { socket, say, token } = await open(idOf("mask"), { mode: "mask", allowed: ["bitch"] }, by);
    say("you bitch, fuck off", "cid-000001");
    const ack = await socket.next("ack");
    expect(ack).toMatchObject({ seq: 1, duplicate: false, moderation: "masked" });
    expect(await socket.next("message")).toMatchObject({ content: "you bitch, **** off" });
    say("you bitch, fuck off", "cid-000001");
    expect(await socket.next("ack")).toEqual({ ...ack, duplicate: true });
    expect(await history(idOf("mask"), token)).toEqual(["you bitch, **** off"]);
    await vi.waitFor(async () => {
      const actions = (await audit(idOf("mask"))).map(({ action, actor, requestId }) => [action, actor, requestId]);
      expect(actions).toContainEqual(["message.mask", "alice", "cid-000001"]);
      expect(actions).toContainEqual(["message.send", "alice", "cid-000001"]);
    }, 5_000);
  });

  it("S0-27 flags", async () => {
    const { socket, say, token } = await open(idOf("flag"), { mode: "flag" }, by);
    say("fuck off", "cid-000001");
    expect(await socket.next("ack")).toMatchObject({ moderation: "flagged" });
    expect(await history(idOf("flag"), token)).toEqual(["fuck off"]);
  });
});

it("S4-27 has all of a channel's life in the audit log, and nothing that was said", async () => {
  const { socket, say } = await open("life", { mode: "flag", blocked: ["wibble"] }, "direct");
  say("a wibble", "cid-000001");
  await socket.next("ack");
  const wanted = ["message.flag", "message.send", "member.join", "moderation.change", "channel.create"];
  await vi.waitFor(async () => {
    expect((await audit("life")).map(({ action }) => action)).toEqual(wanted);
  }, 5_000);
  expect(JSON.stringify(await audit("life"))).not.toContain("wibble");
});

it("S4-27 has in the audit log what the gateway refuses by itself", async () => {
  const { socket, say } = await open("here", { mode: "off" }, "gateway");
  socket.say({ type: "message", roomId: "elsewhere", content: "hello", clientMessageId: "cid-000001" });
  expect(await socket.next("error")).toMatchObject({ code: "forbidden", roomId: "elsewhere" });
  await vi.waitFor(async () => {
    const entry = { action: "request.refuse", actor: "alice", detail: "message forbidden" };
    expect(await audit("elsewhere")).toMatchObject([entry]);
  }, 5_000);
  say("still here", "cid-000002");
  await socket.next("ack");
});
