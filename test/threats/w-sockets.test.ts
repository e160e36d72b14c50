import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signChatToken } from "../../domain/chat-tokens.ts";
import { isAllowedOrigin } from "../../domain/origins.ts";
import { onBeforeConnect, onBeforeRequest, onFetch } from "../../party/edge.ts";
import { AppId } from "../../protocol/ids.ts";
import {
  claimsOf,
  createTestGateway,
  NOW,
  settle,
  type TestGateway,
  testSettings,
  VARIABLES,
} from "../gateway/fake-sockets.ts";

let gateway: TestGateway;
beforeEach(async () => {
  vi.useFakeTimers({ now: NOW });
  gateway = await createTestGateway();
});
afterEach(() => void vi.useRealTimers());

/** Both doors, and whether anything behind them was woken. */
const woken: string[] = [];
/** The headers that got through to a room, of each request. */
const seen: string[][] = [];
/** What the room says of a guest before its socket is opened. */
const admission = () => new Response(null, { status: 204 });
const lobby = {
  env: VARIABLES,
  parties: {
    main: {
      get: (key: string) => ({
        fetch: async (path: string, { headers }: RequestInit): Promise<Response> => {
          woken.push(`${key} ${path}`);
          seen.push([...new Headers(headers)].map(([name, value]) => `${name}: ${value}`));
          return path === "/admission" ? admission() : Response.json({ ok: true });
        },
      }),
    },
    people: { get: () => ({ fetch: async () => Response.json({ notBefore: 0 }) }) },
  },
};
const doors = {
  gateway: async (headers: Record<string, string>, query = "") => (await gateway.open({ headers, query })).response,
  room: (headers: Record<string, string>, query = "", path = "/parties/main/lobby") =>
    onBeforeConnect(
      new Request(`https://rooms.example${path}${query}`, {
        headers: { upgrade: "websocket", "sec-websocket-version": "13", ...headers },
      }),
      lobby,
    ),
};
const asleep = (): boolean => woken.length === 0 && gateway.rooms.length === 0;
afterEach(() => void (woken.length = seen.length = 0));

const refused = async (response: Response) => ({
  status: response.status,
  type: response.headers.get("content-type"),
  code: ((await response.json()) as { code: string }).code,
});
const problem = (status: number, code: string) => ({ status, type: "application/problem+json", code });

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

/** Another client comes in by a first frame: whatever was being checked before it has been. */
const untilNextIsIn = async (): Promise<void> => {
  const { socket } = await gateway.open();
  socket.hear(JSON.stringify({ type: "auth", token: await gateway.token("next") }));
  await vi.waitFor(() => expect(socket.ofType("welcome")).toHaveLength(1));
};

describe("W09 a socket that shows no token", () => {
  it("is closed after 5 s, with nothing woken and nothing said", async () => {
    const { socket } = await gateway.open();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(socket.closed).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(socket).toMatchObject({ sent: [], closed: { code: 4008 } });
    expect(asleep()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gets in with a first frame in time, and what it said after that is not lost", async () => {
    const { socket } = await gateway.open();
    await vi.advanceTimersByTimeAsync(4_000);
    socket.hear(JSON.stringify({ type: "auth", token: await gateway.token() }));
    socket.hear('{"type":"ping"}');
    await vi.waitFor(() => expect(socket.frames.map(({ type }) => type)).toEqual(["welcome", "pong"]));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(socket.closed).toBeUndefined();
  });

  it.each([
    ["another frame", '{"type":"ping"}', 4501],
    ["text", "hello", 4501],
    ["a field too many", '{"type":"auth","token":"x","room":"lobby"}', 4501],
    ["a frame too big", " ".repeat(16_385), 4509],
    ["a binary frame", new ArrayBuffer(8), 4510],
    ["a bad token", '{"type":"auth","token":"x"}', 4500],
  ])("is closed when it begins with %s", async (_case, data, code) => {
    const { socket } = await gateway.open();
    socket.hear(data);
    await vi.waitFor(() => expect(socket.closed).toMatchObject({ code }));
    expect(asleep()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("has nothing opened for it when it goes while its token is checked", async () => {
    const { socket } = await gateway.open();
    socket.hear(JSON.stringify({ type: "auth", token: await gateway.token() }));
    socket.hangUp(1000);
    await untilNextIsIn();
    expect(gateway.log).toMatchObject([{ userId: "next" }]);
    expect(socket.sent).toEqual([]);
  });

  it("cannot fill our memory while its token is checked", async () => {
    const { socket } = await gateway.open();
    socket.hear(JSON.stringify({ type: "auth", token: await gateway.token() }));
    for (let n = 0; n < 65; n++) socket.hear('{"type":"ping"}');
    expect(socket.closed).toMatchObject({ code: 4029 });
    await untilNextIsIn();
    expect(gateway.log).toMatchObject([{ userId: "next" }]);
  });

  it("is one of at most 20 that dawdle, for each address", async () => {
    const from = (address: string) => gateway.open({ headers: { "cf-connecting-ip": address } });
    for (let n = 0; n < 20; n++) await from("192.0.2.1");
    await vi.advanceTimersByTimeAsync(1_000);
    const { response } = await from("192.0.2.1");
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await refused(response)).toEqual(problem(429, "rate_limited"));
    expect((await from("192.0.2.2")).response.status).not.toBe(429);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await from("192.0.2.1")).response.status).not.toBe(429);
  });

  it("is one of at most 200 that wait at a time, for each address, however quick they are", async () => {
    const from = (address: string) => gateway.open({ headers: { "cf-connecting-ip": address } });
    const opened = await Promise.all(Array.from({ length: 200 }, () => from("192.0.2.1")));
    expect(opened.filter(({ response }) => response.status === 429)).toEqual([]);
    expect((await from("192.0.2.1")).response.status).toBe(429);
    expect((await from("192.0.2.2")).response.status).not.toBe(429);
    opened[0]?.socket.hangUp(1000);
    await settle();
    expect((await from("192.0.2.1")).response.status).not.toBe(429);
    expect((await from("192.0.2.1")).response.status).toBe(429);
  });

  it("does not stand in the way of many who show theirs at once", async () => {
    const headers = { "cf-connecting-ip": "192.0.2.1" };
    const token = await gateway.token();
    const opened = await Promise.all(Array.from({ length: 100 }, () => gateway.open({ headers })));
    expect(opened.filter(({ response }) => response.status === 429)).toEqual([]);
    for (const { socket } of opened) socket.hear(JSON.stringify({ type: "auth", token }));
    await vi.waitFor(() => expect(gateway.log).toHaveLength(100));
  });
});

describe("W10 one user's many sockets", () => {
  it("are counted by the room, whose verdict ends the oldest client's socket here", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp("connection_limit");
    expect(client.closed).toMatchObject({ code: 4507 });
  });

  it("T20 W11 are not told apart by headers a client can write", async () => {
    for (let n = 0; n < 21; n++)
      await gateway.open({
        headers: { "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": `10.0.0.${n}`, "x-real-ip": `10.0.0.${n}` },
      });
    await vi.advanceTimersByTimeAsync(1_000);
    const { response } = await gateway.open({
      headers: { "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": "10.1.1.1" },
    });
    expect(response.status).toBe(429);
  });
});

describe("W19 subprotocols", () => {
  it("are answered with ours alone, and never with the token", async () => {
    const offered = `chat.v1, x-other, chat.token.${await gateway.token()}`;
    const { subprotocol, socket } = await gateway.open({ headers: { "sec-websocket-protocol": offered } });
    expect(subprotocol).toBe("chat.v1");
    expect(socket.ofType("welcome")).toHaveLength(1);
  });

  it.each([
    ["a hundred", ["chat.v1", ...Array.from({ length: 99 }, (_, n) => `p${n}`)].join(", ")],
    ["the token alone", "chat.token.abc"],
    ["what is not a name", "chat.v1, a(b)"],
  ])("are refused at both doors when they are %s", async (_case, offered) => {
    for (const door of [doors.gateway, doors.room])
      expect(await refused(await door({ "sec-websocket-protocol": offered }))).toEqual(problem(400, "bad_request"));
    expect(asleep()).toBe(true);
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

describe("W20 a bad token", () => {
  const hour = 3_600_000;
  it.each([
    ["J01 J23 nonsense", 4500, async () => "abc.def.ghi"],
    ["J08 an expired one", 4001, () => gateway.token("alice", { issuedAt: NOW - 2 * hour, expiresAt: NOW - hour })],
    [
      "J11 one from the future, which a new one is not",
      4001,
      () => gateway.token("alice", { issuedAt: NOW + hour, expiresAt: NOW + 2 * hour }),
    ],
    ["T01 one for HTTP", 4502, () => signChatToken(gateway.keys, "rest", claimsOf())],
    ["T04 A12 one for our own Worker", 4502, () => signChatToken(gateway.keys, "internal", claimsOf())],
    ["J18 a token of 8 KiB and more", 4500, async () => `${"x".repeat(8_200)}.y.z`],
  ])("is accepted and then closed with a code that says what to do: %s", async (_case, code, make) => {
    const token = await make();
    const bearer = await gateway.open({ headers: { authorization: `Bearer ${token}` } });
    const protocol = await gateway.open({ headers: { "sec-websocket-protocol": `chat.v1, chat.token.${token}` } });
    const query = await gateway.open({ query: `?token=${token}` });
    for (const { socket } of [bearer, protocol, query]) expect(socket).toMatchObject({ sent: [], closed: { code } });
    expect(asleep()).toBe(true);
  });

  it("J18 is refused for its length alone, however well it is signed", async () => {
    const [longest, longer] = [await tokenOfLength(8_192), await tokenOfLength(8_193)];
    const good = await gateway.open({ headers: { authorization: `Bearer ${longest}` } });
    expect(good.socket.closed).toBeUndefined();
    const { socket } = await gateway.open({ headers: { authorization: `Bearer ${longer}` } });
    expect(socket).toMatchObject({ sent: [], closed: { code: 4500 } });
  });
  it("T01 S3-4 of the wrong kind says which of the two was expected", async () => {
    const token = await signChatToken(gateway.keys, "rest", claimsOf());
    const { socket } = await gateway.open({ query: `?token=${token}` });
    expect(socket.closed?.reason).toBe("wrong_token_kind: You passed token, expected wsToken");
  });

  it("I10 A05 with a bad position is closed as well, and nothing is woken", async () => {
    const { socket } = await gateway.open({ query: `?since=e1.-1&token=${await gateway.token()}` });
    expect(socket.closed).toMatchObject({ code: 4501 });
    expect(asleep()).toBe(true);
  });

  it("T19 in two places that disagree is no token", async () => {
    const { socket } = await gateway.open({
      headers: { authorization: `Bearer ${await gateway.token()}` },
      query: `?token=${await gateway.token("mallory")}`,
    });
    expect(socket.closed).toMatchObject({ code: 4500 });
  });
});

describe("A12 the rooms' own addresses", () => {
  const ask = (verb: string, headers: Record<string, string> = {}, method = "GET") =>
    onBeforeRequest(new Request(`https://rooms.example/parties/main/lobby${verb}`, { method, headers }), lobby);
  const internal = async (): Promise<string> =>
    `Bearer ${await signChatToken(gateway.keys, "internal", claimsOf("alice", { expiresAt: NOW + 60_000 }))}`;

  it("answer our Worker, in the app of its token", async () => {
    for (const verb of ["/tail", "/presence", "/ping"])
      expect((await ask(verb, { authorization: await internal() })).status).toBe(200);
    expect(woken).toEqual(["demo:lobby /tail", "demo:lobby /presence", "demo:lobby /ping"]);
  });

  it("hand on which part of the tail is asked for, and no other word", async () => {
    const authorization = await internal();
    for (const query of ["?limit=50", "?before=9&after=7&limit=5"])
      expect((await ask(`/tail${query}`, { authorization })).status).toBe(200);
    expect(woken).toEqual(["demo:lobby /tail?limit=50", "demo:lobby /tail?before=9&after=7&limit=5"]);
    for (const query of ["?limit=x", "?limit=5&x=1", "?limit=-5", "?", "?limit=99999999999999999"])
      expect((await ask(`/tail${query}`, { authorization })).status).toBe(404);
  });

  it("are nothing to everybody else, whatever they bring", async () => {
    const authorization = await internal();
    const user = `Bearer ${await gateway.token()}`;
    const expired = await signChatToken(
      gateway.keys,
      "internal",
      claimsOf("alice", { issuedAt: NOW - 120_000, expiresAt: NOW - 60_000 }),
    );
    const answers = [
      await ask("/tail"),
      await ask("/tail", { authorization: user }),
      await ask("/tail", { authorization: `Bearer ${expired}` }),
      await ask("/tail", { authorization: "Basic x" }),
      await ask("", { authorization }),
      await ask("/", { authorization }),
      await ask("/debug", { authorization }),
      await ask("/tail/x", { authorization }),
      await ask("/tail?x=1", { authorization }),
      await ask("/ping", { authorization }, "POST"),
      await ask("/people", { authorization }),
      await ask("/people", { authorization: user }, "POST"),
      await ask("/admission", { authorization }),
      await ask("%2Ftail", { authorization }),
    ];
    for (const answer of answers) expect(await refused(answer)).toEqual(problem(404, "not_found"));
    expect(woken).toEqual([]);
  });

  it("W15 tell that the party host is alive, and nothing else", async () => {
    const get = (path: string, method = "GET") => onFetch(new Request(`https://rooms.example${path}`, { method }));
    expect(await get("/healthz").json()).toEqual({ status: "ok" });
    for (const answer of [get("/"), get("/healthz/x"), get("/healthz", "POST"), get("/parties/main/")])
      expect(await refused(answer)).toEqual(problem(404, "not_found"));
  });

  it("T17 W18 serve nothing without safe settings, and do not say which", async () => {
    const broken = { ...lobby, env: { ...VARIABLES, CHAT_JWT_SECRET: "short" } };
    const answer = await onBeforeRequest(new Request("https://rooms.example/parties/main/lobby/ping"), broken);
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toMatch(/CHAT_JWT_SECRET|short|bytes/);
    expect(woken).toEqual([]);
  });

  it("W18 show nothing of an error inside", async () => {
    const failing = {
      ...lobby,
      parties: { main: { get: () => ({ fetch: () => Promise.reject(new Error("postgres://u:p@db.example/x")) }) } },
    };
    const request = new Request("https://rooms.example/parties/main/lobby/ping", {
      headers: { authorization: await internal() },
    });
    const answer = await onBeforeRequest(request, failing);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("postgres");
  });
});

/** A token of alice's that is good but for its length. */
async function tokenOfLength(length: number): Promise<string> {
  for (let name = 5_500; name < 6_200; name++) {
    const token = await gateway.token("alice", { name: "x".repeat(name) });
    if (token.length === length) return token;
  }
  throw new Error(`No token has ${length} characters`);
}
