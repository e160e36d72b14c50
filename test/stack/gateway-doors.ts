import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { ChatSocket } from "../support/chat-socket.ts";
import { contents, type Door, DOORS, enter, HOUR, knock, message, stack, tokenFor, urlOf } from "./gateway-world.ts";

/** What holds at the gateway's door and at a room's own. */
export function describeDoors(): void {
  describe.each(DOORS)("the %s's door", (door) => {
    it("S4-5 takes the token as header", async () => {
      const socket = await enter(door, "by-header");
      expect(socket.all("welcome")).toMatchObject([{ userId: "by-header" }]);
      await socket.leave();
    });

    it.each(["chat.v1", "chat.v1.lines"])(
      "W19 takes the token as subprotocol beside %s, and never repeats it",
      async (protocol) => {
        const protocols = [protocol, `chat.token.${await tokenFor("by-protocol")}`];
        const socket = new ChatSocket(urlOf(door), { protocols });
        await socket.next("room_joined");
        expect(socket.socket.protocol).toBe(protocol);
        await socket.leave();
      },
    );

    it("S4-5 T20 takes the token in the query", async () => {
      const socket = new ChatSocket(urlOf(door, "lobby", `&token=${await tokenFor("by-query")}`));
      await socket.next("room_joined");
      await socket.leave();
    });

    it("takes the token as first frame, and what follows at once", async () => {
      const socket = new ChatSocket(urlOf(door));
      await socket.opened();
      socket.say({ type: "auth", token: await tokenFor("by-frame") });
      socket.say(message("lobby", door === "room" ? 1 : 2));
      expect(await socket.next("ack")).toMatchObject({ duplicate: false });
      await socket.leave();
    });

    it("W09 closes a socket that shows no token within 5 s", async () => {
      const socket = new ChatSocket(urlOf(door));
      expect((await socket.closing()).code).toBe(4008);
      expect(socket.frames).toEqual([]);
    });

    it("W20 S4-7 accepts a bad token and closes with what to do about it", async () => {
      const opened = async (token: string): Promise<number> =>
        (await new ChatSocket(urlOf(door, "lobby", `&token=${token}`)).closing()).code;
      expect(await opened("nonsense")).toBe(4500);
      expect(await opened(await tokenFor("late", { age: 2 * HOUR }))).toBe(4001);
      expect(await opened(await tokenFor("other", { kind: "rest" }))).toBe(4502);
      expect(await opened(await tokenFor("other", { kind: "internal" }))).toBe(4502);
      expect(await opened(`${await tokenFor("other")}x`)).toBe(4500);
    });

    it("T04 does not take the sign-in itself", async () => {
      const socket = new ChatSocket(urlOf(door, "lobby", `&token=${await stack.session("direct")}`));
      expect((await socket.closing()).code).toBe(4500);
    });

    it("T03 gives each app rooms of its own", async () => {
      const [ours, theirs] = [await enter(door, "tenant", "tenants"), await tokenFor("tenant", { app: "other-app" })];
      const other = new ChatSocket(urlOf(door, "tenants"), { headers: { authorization: `Bearer ${theirs}` } });
      await other.next("room_joined");
      const n = door === "room" ? 1 : 2;
      ours.say(message("tenants", n));
      await ours.next("message", ({ content }) => content === `message ${n}`);
      other.say(message("tenants", n + 10));
      await other.next("message", ({ content }) => content === `message ${n + 10}`);
      expect(contents(other)).not.toContain(`message ${n}`);
      expect(other.all("room_joined")).not.toMatchObject([{ epoch: ours.all("room_joined")[0]?.epoch }]);
      await Promise.all([ours.leave(), other.leave()]);
    });

    it("W01 refuses other sites, and serves our own page", async () => {
      const authorization = `Bearer ${await tokenFor("visitor")}`;
      for (const origin of ["https://evil.example", "null", `${stack.apiUrl}.evil.example`, "http://127.0.0.1:1"])
        expect(await knock(urlOf(door), { origin, authorization })).toEqual({ status: 403, code: "bad_origin" });
      await (await enter(door, "visitor", "lobby", { headers: { origin: stack.apiUrl } })).leave();
    });

    it("W07 refuses other spellings of a room's name", async () => {
      const authorization = `Bearer ${await tokenFor("speller")}`;
      for (const room of [
        "%6cobby",
        "a%2Fb",
        "..%2flobby",
        "lobby%00",
        "demo:lobby",
        "n%CC%83",
        "%C3%B1",
        "x".repeat(2_048),
      ])
        expect(await knock(urlOf(door, room), { authorization })).toEqual({ status: 400, code: "bad_room_id" });
    });

    it("W19 refuses a hundred subprotocols, and the token alone", async () => {
      const hundred = Array.from({ length: 100 }, (_, n) => `p${n}`).join(", ");
      for (const offered of [hundred, `chat.token.${await tokenFor("alone")}`])
        expect(await knock(urlOf(door), { "sec-websocket-protocol": offered })).toEqual({
          status: 400,
          code: "bad_request",
        });
    });

    it("W05 W06 takes no connection id, room or props from a client", async () => {
      const victim = await enter(door, "victim", "ids");
      const [{ connectionId } = { connectionId: "" }] = victim.all("welcome");
      const thief = new ChatSocket(urlOf(door, "ids", `&_pk=${connectionId}`), {
        headers: {
          authorization: `Bearer ${await tokenFor("thief")}`,
          "x-partykit-props": '{"role":"admin"}',
          "x-partykit-room": "other",
          "x-parley-since": "e.1",
        },
      });
      await thief.next("room_joined");
      expect(thief.all("welcome")[0]?.connectionId).not.toBe(connectionId);
      const n = door === "room" ? 1 : 2;
      thief.say(message("ids", n));
      expect(await victim.next("message", ({ content }) => content === `message ${n}`)).toMatchObject({
        userId: "thief",
      });
      await Promise.all([victim.leave(), thief.leave()]);
    });

    it("W10 lets the newest five of a user's sockets in a room live", async () => {
      const room = `crowd-${door}`;
      const sockets: ChatSocket[] = [];
      for (let n = 0; n < 6; n++) {
        const socket = await enter(door, "many-tabs", room);
        // The rooms' local runtime ends the closing handshake only of sockets that have once said something.
        socket.say({ type: "ping" });
        await socket.next("pong");
        sockets.push(socket);
      }
      expect((await sockets[0]?.closing())?.code).toBe(4507);
      expect(sockets.slice(1).map(({ closed }) => closed)).toEqual(Array.from({ length: 5 }, () => undefined));
      await Promise.all(sockets.slice(1).map((socket) => socket.leave()));
    });
  });

  describe("W04 the handshake", () => {
    const answerTo = (port: string, head: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), "127.0.0.1", () => socket.write(head));
        socket.once("data", (data) => {
          resolve(String(data).split("\r\n")[0] ?? "");
          socket.destroy();
        });
        socket.once("error", reject);
      });

    it("is answered with 426 without an upgrade, and refused in another version", async () => {
      expect((await fetch(stack.wsUrl.replace("ws:", "http:"))).status).toBe(426);
      for (const url of [new URL(stack.apiUrl), new URL(stack.partyUrl)]) {
        const path = url.href.startsWith(stack.apiUrl) ? "/ws" : "/parties/main/lobby";
        const head = `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n`;
        expect(await answerTo(url.port, head)).toMatch(/^HTTP\/1\.1 4(00|26) /);
      }
    });
  });

  describe("A03 a reserved room", () => {
    const knockAt = async (door: Door): Promise<ChatSocket> =>
      new ChatSocket(urlOf(door, "constructor"), { headers: { authorization: `Bearer ${await tokenFor("curious")}` } });

    it("is not there: the room's door closes, the gateway's socket stays open for other rooms", async () => {
      expect((await (await knockAt("room")).closing()).code).toBe(4504);
      const socket = await knockAt("gateway");
      expect(await socket.next("error")).toMatchObject({ code: "room_not_found", roomId: "constructor" });
      socket.say({ type: "join_room", roomId: "lobby" });
      await socket.next("room_joined");
      await socket.leave();
    });
  });
}
