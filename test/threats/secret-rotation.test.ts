import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTokenKeys, signChatToken, verifyChatToken } from "../../domain/chat-tokens.ts";
import { createRoomDeps } from "../../party/deps.ts";
import { onBeforeConnect } from "../../party/edge.ts";
import type { TokenReply } from "../../protocol/http.ts";
import { claimsOf, NOW, VARIABLES } from "../gateway/fake-sockets.ts";
import { createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { bearer } from "../support/requests.ts";
import { lobby, openDoorsForEachTest, woken } from "./doors.ts";
import { signIn } from "./sign-ins.ts";

const OLD = "0ldQ8Zr3vKx0Lw7Ty2Bn5Mj9Hc4Fd6Gs";
const NEW = "n3wQ8Zr3vKx0Lw7Ty2Bn5Mj9Hc4Fd6Gs";
const url = VARIABLES.PUBLIC_URL;
const [before, during, after] = await Promise.all([
  createTokenKeys(url, OLD),
  createTokenKeys(url, NEW, OLD),
  createTokenKeys(url, NEW),
]);

describe("rotation of our own secret", () => {
  it("K10 takes tokens of the previous secret, signs with the current one, and refuses others", async () => {
    const early = await signChatToken(before, "rest", claimsOf());
    const late = await signChatToken(during, "rest", claimsOf());
    expect(await verifyChatToken(during, "rest", early, NOW)).toMatchObject({ userId: "alice" });
    expect(await verifyChatToken(after, "rest", late, NOW)).toMatchObject({ userId: "alice" });
    await expect(verifyChatToken(after, "rest", early, NOW)).rejects.toMatchObject({ code: "bad_signature" });
    await expect(verifyChatToken(before, "rest", late, NOW)).rejects.toMatchObject({ code: "bad_signature" });
  });
});

describe("K10 over HTTP, during a rotation", () => {
  let memory: MemoryDeps;
  beforeAll(async () => {
    memory = await createMemoryDeps({ PUBLIC_URL: url, CHAT_JWT_SECRET: NEW, CHAT_JWT_SECRET_PREVIOUS: OLD });
  });
  afterAll(() => memory.stop());
  const times = () => ({ issuedAt: memory.clock.now(), expiresAt: memory.clock.now() + 60_000 });
  const ask = async (token: string) => (await memory.app.request("/v1/channels", bearer(token))).status;

  it("tokens of both secrets are served, each by its own kid", async () => {
    const early = await signChatToken(before, "rest", claimsOf("alice", times()));
    const late = await signChatToken(after, "rest", claimsOf("alice", times()));
    expect([await ask(early), await ask(late)]).toEqual([200, 200]);
    expect(await ask(early.replace(before.current.headers.rest, after.current.headers.rest))).toBe(401);
    expect(await ask(late.replace(after.current.headers.rest, before.current.headers.rest))).toBe(401);
  });

  it("new tokens are signed with the current secret", async () => {
    const reply = (await (await signIn(memory, await memory.session())).json()) as TokenReply;
    const now = memory.clock.now();
    expect(await verifyChatToken(after, "rest", reply.token, now)).toMatchObject({ userId: "alice" });
    expect(await verifyChatToken(after, "ws", reply.wsToken, now)).toMatchObject({ userId: "alice" });
  });
});

describe("K10 at the rooms, a token from before a rotation", () => {
  openDoorsForEachTest();
  const rotating = { ...VARIABLES, CHAT_JWT_SECRET: NEW, CHAT_JWT_SECRET_PREVIOUS: OLD };
  const rotated = { ...VARIABLES, CHAT_JWT_SECRET: NEW };
  const knock = async (env: typeof VARIABLES) => {
    const headers = { ...bearer(await signChatToken(before, "ws", claimsOf())).headers, upgrade: "websocket" };
    await onBeforeConnect(new Request("https://rooms.example/parties/main/lobby", { headers }), { ...lobby, env });
  };
  const verdict = async (env: typeof VARIABLES) => {
    const store = createMemoryStore();
    const board = { reportPresence: async () => {} };
    const room = createRoomDeps(env, { store: () => store, board: () => board, vocabulary: () => expect.fail() });
    if (!("deps" in room)) throw new Error("A room does not start with these settings");
    const token = await signChatToken(before, "ws", claimsOf());
    return room.deps.verify("ws", token).then(
      ({ userId }) => userId,
      (error: { code: string }) => error.code,
    );
  };

  it("gets in while it lasts", async () => {
    await knock(rotating);
    expect(woken[0]).toBe("demo:lobby /admission");
    expect(await verdict(rotating)).toBe("alice");
  });

  it("does not once it is over", async () => {
    await knock(rotated);
    expect(woken).toEqual([]);
    expect(await verdict(rotated)).toBe("bad_signature");
  });
});
