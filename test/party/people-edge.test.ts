import { beforeEach, describe, expect, it } from "vitest";
import { createTokenKeys, signChatToken, type TokenKind } from "../../domain/chat-tokens.ts";
import { onBeforeConnect } from "../../party/edge.ts";
import { createRoomLogger } from "../../party/log.ts";
import * as peopleEdge from "../../party/people-edge.ts";
import { Person } from "../../party/person.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import { VARIABLES } from "../gateway/fake-sockets.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { FakePlatform } from "./fake-platform.ts";

const keys = await createTokenKeys(VARIABLES.PUBLIC_URL, VARIABLES.CHAT_JWT_SECRET);

/** People with objects of their own, and rooms that only write down what they are asked. */
class Town {
  readonly people = new Map<string, Person>();
  readonly platforms: FakePlatform[] = [];
  /** What rooms were asked, with the body of an order. */
  asked: { room: string; path: string; body: unknown }[] = [];
  /** Rooms that do not answer an order. */
  broken = new Set<string>();
  /** Rooms that let nobody in, and rooms where everybody has a socket. */
  closed = new Set<string>();
  crowded = new Set<string>();
  /** What their object wants to know of everybody, and what it was told. */
  doubtful: { roomId: string; knock: number } | undefined;
  found: unknown[] = [];
  peopleAreDown = false;
  readonly lobby = {
    env: VARIABLES,
    parties: {
      main: {
        get: (room: string) => ({ fetch: (path: string, init: RequestInit) => this.#askRoom(room, path, init) }),
      },
      people: {
        get: (name: string) => ({ fetch: (path: string, init: RequestInit) => this.#askPerson(name, path, init) }),
      },
    },
  };

  /** Somebody's socket comes to a room's door. @returns whether its room was asked to open it. */
  async knock(user: string, room: string, issuedAt = Date.now() - 1_000): Promise<boolean> {
    const headers = { upgrade: "websocket", authorization: `Bearer ${await token("ws", user, issuedAt)}` };
    const before = this.asked.length;
    await onBeforeConnect(new Request(`https://rooms.example/parties/main/${room}`, { headers }), this.lobby);
    return this.asked.slice(before).some(({ path }) => path.startsWith("/?_pk="));
  }

  async order(change: object, bearer?: string): Promise<Response> {
    const authorization = `Bearer ${bearer ?? (await token("internal", "bob"))}`;
    const body = JSON.stringify({ userId: "bob", requestId: "r1", ...change });
    const init = { method: "POST", headers: { authorization }, body };
    return peopleEdge.onBeforeRequest(new Request("https://rooms.example/parties/people/orders", init), this.lobby);
  }

  orders(): { room: string; body: unknown }[] {
    return this.asked.filter(({ path }) => path === "/people").map(({ room, body }) => ({ room, body }));
  }

  #open(): Person {
    const platform = new FakePlatform();
    this.platforms.push(platform);
    const log = createRoomLogger(false, () => {});
    return new Person(platform, { store: createMemoryStore(), now: Date.now, newId: () => crypto.randomUUID(), log });
  }

  async #askRoom(room: string, path: string, { body }: RequestInit): Promise<Response> {
    this.asked.push({ room, path, body: typeof body === "string" ? JSON.parse(body) : undefined });
    if (path === "/people" && this.broken.has(room)) throw new Error("The object was reset");
    if (path === "/here") return Response.json({ isHere: this.crowded.has(room) });
    if (path === "/admission" && this.closed.has(room)) return Response.json({ code: "forbidden" }, { status: 403 });
    return path === "/admission" ? new Response(null, { status: 204 }) : Response.json({ ended: 1 });
  }

  async #askPerson(name: string, path: string, { body }: RequestInit): Promise<Response> {
    if (path === "/whereabouts") this.found.push(JSON.parse(String(body)));
    if (path === "/visit" && this.doubtful !== undefined)
      return Response.json({ notBefore: 0, knock: 1, doubtful: this.doubtful });
    if (this.peopleAreDown) throw new Error("Network connection lost");
    const person = this.people.get(name) ?? this.#open();
    this.people.set(name, person);
    return person.request({
      url: `https://rooms.example/parties/people/${name}${path}`,
      text: async () => String(body),
    });
  }
}

function token(kind: TokenKind, user: string, issuedAt = Date.now(), app = "demo"): Promise<string> {
  const times = { issuedAt, expiresAt: issuedAt + 60_000 };
  return signChatToken(keys, kind, { userId: UserId.parse(user), app: AppId.parse(app), name: undefined, ...times });
}

let town: Town;
beforeEach(() => void (town = new Town()));

describe("orders about a person", () => {
  const revokedBefore = Math.floor(Date.now() / 1_000) * 1_000;

  it("J24 reach every room where they have been, and no other", async () => {
    for (const room of ["lobby", "plans"]) expect(await town.knock("bob", room)).toBe(true);
    await town.knock("alice", "elsewhere");
    const answer = await town.order({ revokedBefore });
    expect({ status: answer.status, body: (await answer.json()) as unknown }).toEqual({
      status: 200,
      body: { rooms: 2 },
    });
    const body = { order: "revoke", userId: "bob", requestId: "r1", before: revokedBefore };
    expect(town.orders()).toEqual([
      { room: "demo:lobby", body },
      { room: "demo:plans", body },
    ]);
  });

  it("J24 A01 reach no room that would not have them", async () => {
    town.closed.add("demo:plans");
    await town.knock("bob", "lobby");
    expect(await town.knock("bob", "plans")).toBe(false);
    await town.order({ revokedBefore });
    expect(town.orders().map(({ room }) => room)).toEqual(["demo:lobby"]);
  });

  it.each([true, false])("J24 find out where somebody still is who has been in too many rooms: %s", async (isHere) => {
    town.doubtful = { roomId: "plans", knock: 7 };
    if (isHere) town.crowded.add("demo:plans");
    expect(await town.knock("bob", "lobby")).toBe(true);
    expect(town.found).toEqual([{ roomId: "plans", knock: 7, isHere }]);
  });

  it("J24 are known at the door before any room is told: nobody slips in meanwhile", async () => {
    await town.knock("bob", "lobby");
    town.broken.add("demo:lobby");
    expect((await town.order({ revokedBefore })).status).toBe(503);
    expect(await town.knock("bob", "plans", revokedBefore - 1_000)).toBe(false);
    expect(await town.knock("bob", "plans", revokedBefore)).toBe(true);
  });

  it("say so when a room could not be told, tell the others all the same, and complete when sent again", async () => {
    for (const room of ["lobby", "plans"]) await town.knock("bob", room);
    town.broken.add("demo:lobby");
    const answer = await town.order({ revokedBefore });
    expect(await answer.json()).toMatchObject({ status: 503, code: "rooms_unavailable" });
    expect(town.orders().map(({ room }) => room)).toEqual(["demo:lobby", "demo:plans"]);
    town.broken.clear();
    expect((await town.order({ revokedBefore })).status).toBe(200);
  });

  it("A09 a ban expels, and lifting it is told to no room", async () => {
    await town.knock("bob", "lobby");
    await town.order({ revokedBefore, ban: { until: null } });
    expect(town.orders()).toMatchObject([{ body: { order: "expel", before: revokedBefore } }]);
    expect(await town.knock("bob", "lobby")).toBe(false);
    await town.order({ ban: null });
    expect(town.orders()).toHaveLength(1);
    expect(await town.knock("bob", "lobby", revokedBefore)).toBe(true);
  });

  it("A09 keep who is banned from asking a room anything: one that is asked may create its channel", async () => {
    await town.order({ revokedBefore, ban: { until: null } });
    await town.knock("bob", "new-room");
    await town.order({ ban: null });
    await town.knock("bob", "new-room", revokedBefore - 1_000);
    expect(town.asked).toEqual([]);
    await town.knock("bob", "new-room", revokedBefore);
    expect(town.asked.map(({ path }) => path.replace(/=.*/, ""))).toEqual(["/admission", "/?_pk"]);
  });

  it("A09 S4-27 leave a note for the audit log of whom the door has turned away, and from where", async () => {
    await town.order({ revokedBefore, ban: { until: null } });
    await town.knock("bob", "plans");
    await town.knock("bob", "plans");
    const entry = { action: "request.refuse", actor: "bob", channelId: "plans", subject: "plans", detail: "banned" };
    expect(town.platforms.map(({ storage }) => storage.durable.get("refusals"))).toMatchObject([[{ entry, count: 2 }]]);
  });

  it("T03 concern the user of the token's app only", async () => {
    await town.order({ revokedBefore }, await token("internal", "bob", Date.now(), "other"));
    expect(await town.knock("bob", "lobby", revokedBefore - 1_000)).toBe(true);
  });

  it("are carried out in hundreds of rooms", async () => {
    for (let at = 0; at < 240; at++) await town.knock("bob", `room-${at}`);
    expect(await (await town.order({ revokedBefore })).json()).toEqual({ rooms: 240 });
    expect(new Set(town.orders().map(({ room }) => room)).size).toBe(240);
  });

  it("A12 are taken from our own Worker only; to everybody else there is nothing", async () => {
    await town.knock("bob", "lobby");
    for (const kind of ["rest", "ws"] as const)
      expect((await town.order({ revokedBefore }, await token(kind, "bob"))).status).toBe(404);
    expect((await town.order({ revokedBefore }, "x.y.z")).status).toBe(404);
    const authorization = `Bearer ${await token("internal", "bob")}`;
    for (const [method, path] of [
      ["GET", "orders"],
      ["POST", "orders/"],
      ["POST", "orders?x=1"],
      ["POST", "0123abcd/order"],
      ["POST", "0123abcd/visit"],
    ] as const) {
      const init = { method, headers: { authorization }, ...(method === "POST" && { body: "{}" }) };
      const request = new Request(`https://rooms.example/parties/people/${path}`, init);
      expect((await peopleEdge.onBeforeRequest(request, town.lobby)).status).toBe(404);
    }
    expect(peopleEdge.onBeforeConnect().status).toBe(404);
    expect(town.orders()).toEqual([]);
  });

  it("A12 show nothing of an error inside", async () => {
    const answer = await town.order({ revokedBefore: "soon" });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.text()).not.toMatch(/soon|invalid_type|zod/i);
  });
});

describe("a door whose people cannot be asked", () => {
  it("J24 lets nobody in", async () => {
    expect(await town.knock("bob", "lobby")).toBe(true);
    town.peopleAreDown = true;
    expect(await town.knock("bob", "lobby")).toBe(false);
    expect((await town.order({ revokedBefore: Date.now() })).status).toBe(503);
  });
});
