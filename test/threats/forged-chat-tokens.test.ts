import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { gateway, openGatewayForEachTest } from "../gateway/each-gateway.ts";
import { NOW } from "../gateway/fake-sockets.ts";
import { ROOM_KEYS, World } from "../party/world.ts";
import { createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { bearer, problemOf } from "../support/requests.ts";
import { FORGERIES, openBench } from "./forgeries.ts";

describe("over HTTP, a forged chat token", () => {
  let memory: MemoryDeps;
  beforeAll(async () => void (memory = await createMemoryDeps()));
  afterAll(() => memory.stop());
  const bench = () => openBench({ keys: memory.deps.tokenKeys, kind: "rest", now: memory.clock.now() });
  const ask = async (token: string) => memory.app.request("/v1/channels", bearer(token));

  it("is all that is refused: a good one gets in, and so does one put together by hand", async () => {
    const { good, header, claims, signed } = await bench();
    expect((await ask(good.token)).status).toBe(200);
    expect((await ask(await signed(header, claims))).status).toBe(200);
  });

  it.each(FORGERIES)("is refused: %s", async (_what, code, forge) => {
    expect(await problemOf(await ask(await forge(await bench())))).toEqual({ status: 401, code });
    expect(memory.keyServer.requests).toBe(0);
  });

  it("J26 gets one answer, to the byte, for an unknown key, a bad signature and whatever else is wrong with it", async () => {
    const { good, header, claims, signed } = await bench();
    const [, payload = ""] = (await signed(header, { ...claims, iss: "x", aud: "x", sub: "", exp: 1 })).split(".");
    const answers = [
      await ask(await signed({ ...header, kid: "nobody's" }, claims)),
      await ask(`${good.token.slice(0, -4)}AAAA`),
      await ask(`${good.header}.${payload}.${good.signature}`),
    ];
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(texts.map((text) => text.replace(/"requestId":"[^"]*"/, ""))).size).toBe(1);
    expect(texts[0]).toContain('"bad_signature"');
  });
});

describe("at the gateway, a forged wsToken", () => {
  openGatewayForEachTest();
  const bench = () => openBench({ keys: gateway.keys, kind: "ws", now: NOW });
  /** Opens a socket and shows the token in its first frame, which can carry any text. */
  const show = async (token: string) => {
    const { socket } = await gateway.open();
    socket.say({ type: "auth", token });
    await vi.waitFor(() => expect(socket.sent.length > 0 || socket.closed !== undefined).toBe(true));
    return socket;
  };

  it("is all that is refused: a good one gets in, and so does one put together by hand", async () => {
    const { good, header, claims, signed } = await bench();
    expect((await show(good.token)).ofType("welcome")).toHaveLength(1);
    expect((await show(await signed(header, claims))).ofType("welcome")).toHaveLength(1);
  });

  it.each(FORGERIES)("is refused in the first frame: %s", async (_what, _code, forge) => {
    expect(await show(await forge(await bench()))).toMatchObject({ sent: [], closed: { code: 4500 } });
    expect(gateway.rooms).toEqual([]);
  });

  it.each(["\n", "\r\n", "\t", " ", "\u0000", "\u00a0", "\ufeff"])(
    "J19 is refused in the first frame with %j before or behind it",
    async (stray) => {
      const { good } = await bench();
      for (const token of [`${good.token}${stray}`, `${stray}${good.token}`])
        expect(await show(token)).toMatchObject({ sent: [], closed: { code: 4500 } });
    },
  );

  it("J18 is refused for the size of its frame when that has a million dots", async () => {
    expect(await show(".".repeat(1_000_000))).toMatchObject({ sent: [], closed: { code: 4509 } });
  });

  it("J26 closes alike, to the letter, for an unknown key and a bad signature", async () => {
    const { good, header, claims, signed } = await bench();
    const unknown = await show(await signed({ ...header, kid: "nobody's" }, claims));
    const broken = await show(`${good.token.slice(0, -4)}AAAA`);
    expect(unknown.closed).toEqual(broken.closed);
  });
});

describe("at a room, a forged wsToken", () => {
  let world: World;
  beforeEach(() => void (world = new World()));
  const bench = () => openBench({ keys: ROOM_KEYS, kind: "ws", now: world.now });

  it("is all that is refused: a good one gets in, and so does one put together by hand", async () => {
    const { good, header, claims, signed } = await bench();
    for (const token of [good.token, await signed(header, claims)])
      expect((await world.connect("alice", { token })).all("room_joined")).toHaveLength(1);
  });

  it.each(FORGERIES)("is refused: %s", async (_what, _code, forge) => {
    const mallory = await world.connect("mallory", { token: await forge(await bench()) });
    expect(mallory.closed).toEqual({ code: 4500, reason: "invalid_token" });
    expect(mallory.frames).toEqual([]);
  });
});
