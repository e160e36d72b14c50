import { describe, expect, it } from "vitest";
import { isAllowedOrigin } from "../../domain/origins.ts";
import { onFetch } from "../../party/edge.ts";
import { AppId } from "../../protocol/ids.ts";
import { settle, testSettings } from "../gateway/fake-sockets.ts";
import { asleep, doors, problem, refused, seen, woken, openDoorsForEachTest } from "./doors.ts";
import { gateway } from "../gateway/each-gateway.ts";

openDoorsForEachTest();

const EVIL_ORIGINS = [
  "https://evil.example",
  "null",
  "https://sub.app.example",
  "https://app.example.evil.example",
  "https://app.example:8443",
  "http://app.example",
  "https://app.example/",
  "https://APP.example",
  "https://chat.example.evil.example",
  "",
];

describe("W01 a page of another site", () => {
  it.each(EVIL_ORIGINS)("is refused at both doors before any room wakes: %j", async (origin) => {
    const authorization = `Bearer ${await gateway.token()}`;
    for (const door of [doors.gateway, doors.room])
      expect(await refused(await door({ origin, authorization }))).toEqual(problem(403, "bad_origin"));
    expect(asleep()).toBe(true);
  });

  it("is told from our own pages by an exact match", () => {
    const settings = testSettings();
    for (const origin of ["https://app.example", "http://localhost:3000", "https://chat.example"])
      expect(isAllowedOrigin(settings, origin)).toBe(true);
    for (const origin of EVIL_ORIGINS) expect(isAllowedOrigin(settings, origin)).toBe(false);
    expect(
      isAllowedOrigin({ PUBLIC_URL: "http://127.0.0.1:8787", ALLOWED_ORIGINS: undefined }, "http://127.0.0.1:8787"),
    ).toBe(true);
  });

  it("is served when it is ours", async () => {
    const socket = await gateway.enter({ headers: { origin: "https://app.example" } });
    expect(socket.ofType("welcome")).toHaveLength(1);
  });
});

describe("W02 a native client", () => {
  it("sends no Origin and gets in with a token, and not without", async () => {
    expect((await gateway.enter()).ofType("welcome")).toHaveLength(1);
    const { socket } = await gateway.open();
    socket.hear('{"type":"message","content":"hi"}');
    await settle();
    expect(socket.closed).toMatchObject({ code: 4501 });
    expect(socket.sent).toEqual([]);
  });
});

describe("W04 what is no WebSocket of ours", () => {
  it("gets 426 with Upgrade, or 400, at both doors", async () => {
    const authorization = `Bearer ${await gateway.token()}`;
    for (const door of [doors.gateway, doors.room]) {
      const plain = await door({ authorization, upgrade: "h2c" });
      expect(plain.headers.get("upgrade")).toBe("websocket");
      expect(await refused(plain)).toEqual(problem(426, "upgrade_required"));
      expect(await refused(await door({ authorization, "sec-websocket-version": "8" }))).toEqual(
        problem(400, "bad_request"),
      );
    }
    const { response } = await gateway.open({ method: "POST", headers: { authorization } });
    expect(await refused(response)).toEqual(problem(400, "bad_request"));
    expect(asleep()).toBe(true);
  });
});

describe("W05 W06 O02 T20 what a client writes into its request", () => {
  const smuggled = {
    "x-partykit-props": '{"role":"admin"}',
    "x-partykit-room": "other",
    "x-parley-since": "e9.9",
    "x-parley-not-before": "-1",
    "x-forwarded-for": "10.0.0.1",
    cookie: "session=1",
    "user-agent": "test",
  };

  it("does not get through to a room, nor does the token's place in the URL", async () => {
    const token = await gateway.token();
    await doors.room(smuggled, `?_pk=victim&room=other&since=e1.41&token=${token}`);
    expect(woken).toEqual(["demo:lobby /admission", expect.stringMatching(/^demo:lobby \/\?_pk=[0-9a-f-]{36}$/)]);
    expect(seen[0]?.toSorted()).toEqual([`authorization: Bearer ${token}`, "x-parley-since: e1.41"]);
    expect(seen[1]?.toSorted()).toEqual([
      `authorization: Bearer ${token}`,
      "sec-websocket-protocol: chat.v1",
      "upgrade: websocket",
      "x-parley-not-before: 0",
      "x-parley-since: e1.41",
    ]);
  });

  it("gives two sockets that ask for one id different ones", async () => {
    const token = await gateway.token();
    await doors.room({}, `?_pk=victim&token=${token}`);
    await doors.room({}, `?_pk=victim&token=${token}`);
    expect(new Set(woken.filter((call) => call.includes("_pk="))).size).toBe(2);
  });

  it("T03 does not choose the app: the token does", async () => {
    const token = await gateway.token("alice", { app: AppId.parse("other") });
    await doors.room({}, `?token=${token}&app=demo`);
    expect(woken[0]).toMatch(/^other:lobby /);
  });
});

describe("W07 another spelling of a room's name", () => {
  const spellings = [
    "%72oom",
    "a%2Fb",
    "..%2f",
    "%00",
    "lobby%00",
    "demo:lobby",
    "lobby.",
    "n%CC%83",
    "%C3%B1",
    "%F0%9F%98%80",
    "x".repeat(65),
    "x".repeat(2_048),
  ];

  it.each(spellings)("is refused at both doors before any room wakes: %s", async (room) => {
    const authorization = `Bearer ${await gateway.token()}`;
    expect(await refused(await doors.gateway({ authorization }, `?roomId=${room}`))).toEqual(
      problem(400, "bad_room_id"),
    );
    expect(await refused(await doors.room({ authorization }, "", `/parties/main/${room}`))).toEqual(
      problem(400, "bad_room_id"),
    );
    expect(asleep()).toBe(true);
  });

  it("is refused in a frame too", async () => {
    const { client } = await gateway.joined();
    for (const roomId of ["demo:lobby", "..", "", "a/b", "ñ", "x".repeat(65)])
      client.hear(JSON.stringify({ type: "join_room", roomId }));
    expect(client.ofType("error").map(({ code }) => code)).toEqual(Array.from({ length: 6 }, () => "bad_frame"));
    expect(gateway.rooms).toHaveLength(1);
  });
});

describe("W17 a refusal at a door", () => {
  it("may be kept by nobody, and is guessed at by no browser", async () => {
    const answers = [
      await doors.gateway({ origin: "https://evil.example" }),
      await doors.room({ origin: "https://evil.example" }),
      await doors.gateway({ "sec-websocket-protocol": "graphql-ws" }),
      onFetch(new Request("https://rooms.example/nowhere")),
    ];
    for (const { status, headers } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(headers.get("cache-control")).toContain("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
  });
});
