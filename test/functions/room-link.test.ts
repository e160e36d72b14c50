import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTokenKeys, type TokenKeys, verifyChatToken } from "../../domain/chat-tokens.ts";
import type { RoomLink } from "../../domain/ports/room-link.ts";
import { createRoomLink } from "../../functions/room-link.ts";
import { ChannelId } from "../../protocol/ids.ts";
import { alice, APP } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { storedEvent } from "../support/room-events.ts";

const ROOM = ChannelId.parse("plans");

let server: Server;
let keys: TokenKeys;
let link: RoomLink;
let seen: IncomingMessage[];
let serve: (response: ServerResponse) => void;
beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    seen.push(request);
    serve(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  keys = await createTokenKeys("https://chat.example.com", "q8Zr3vKx0Lw7Ty2Bn5Mj9Hc4Fd6Gs1Pa");
  const partyUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  link = createRoomLink({ partyUrl, tokenKeys: keys, fetch, now: () => START, app: APP, timeoutMs: 300 });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
const json = (body: unknown, status = 200) => {
  serve = (response) => void response.writeHead(status).end(JSON.stringify(body));
};

describe("a room over HTTP", () => {
  it("A12 is asked with an internal token of a minute, for the app and the caller", async () => {
    const tail = { epoch: "e1", head: 2, storedSeq: 1, isMember: true, events: [storedEvent(2)] };
    json(tail);
    expect(await link.readTail(APP, ROOM, alice)).toEqual(tail);
    expect(seen[0]?.url).toBe("/parties/main/plans/tail");
    const token = seen[0]?.headers.authorization?.replace("Bearer ", "") ?? "";
    expect(await verifyChatToken(keys, "internal", token, START)).toMatchObject({
      userId: "alice",
      app: "demo",
      expiresAt: START + 60_000,
    });
  });
  it.each([
    [{ limit: 50 }, "?limit=50"],
    [{ after: 7, limit: 50 }, "?after=7&limit=50"],
    [{ before: 9, after: 7, limit: 5 }, "?before=9&after=7&limit=5"],
  ])("D06 is asked for no more than a page can need: %o", async (range, query) => {
    json({ epoch: "e1", head: 2, storedSeq: 2, isMember: true, events: [] });
    await link.readTail(APP, ROOM, alice, range);
    expect(seen[0]?.url).toBe(`/parties/main/plans/tail${query}`);
  });
  it("answers for a room that nobody has been in", async () => {
    const tail = { epoch: "", head: 0, storedSeq: 0, isMember: false, events: [] };
    json(tail);
    expect(await link.readTail(APP, ROOM, alice)).toEqual(tail);
  });
  it("answers presence and a knock", async () => {
    json({ isMember: true, memberCount: 1, online: [{ userId: "alice", username: "Alice" }] });
    expect(await link.readPresence(APP, ROOM, alice)).toMatchObject({ memberCount: 1 });
    json({ ok: true });
    await link.ping(new AbortController().signal);
    expect(seen.map(({ url }) => url?.split("/").at(-1))).toEqual(["presence", "ping"]);
  });
  it.each<[string, () => void]>([
    ["refuses", () => json({}, 404)],
    ["fails", () => json({ error: "x" }, 500)],
    ["is overloaded", () => json({ error: "x" }, 503)],
    ["answers nonsense", () => json({ head: "many" })],
    ["answers no JSON", () => (serve = (response) => void response.end("<html>"))],
    ["redirects", () => (serve = (response) => void response.writeHead(302, { location: "/elsewhere" }).end())],
    ["hangs", () => (serve = () => {})],
    ["cuts the connection", () => (serve = (response) => void response.destroy())],
  ])("D17 is unavailable when it %s, and not asked again by itself", async (_, misbehave) => {
    misbehave();
    await expect(link.readTail(APP, ROOM, alice)).rejects.toMatchObject({ code: "rooms_unavailable" });
    expect(seen).toHaveLength(1);
  });
  it("is given up on when its caller gives up", async () => {
    serve = () => {};
    await expect(link.ping(AbortSignal.abort())).rejects.toMatchObject({ code: "rooms_unavailable" });
  });
});
