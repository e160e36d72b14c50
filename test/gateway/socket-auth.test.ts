import { describe, expect, it } from "vitest";
import {
  readBearer,
  readCredentials,
  readHandshake,
  readRoomParameter,
  readRoomPath,
} from "../../domain/socket-auth.ts";

const JWT = "aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl";
const OTHER = "aGVhZGVy.b3RoZXI.c2lnbmF0dXJl";

const upgrade = (headers: Record<string, string> = {}, { method = "GET", query = "" } = {}) => ({
  method,
  url: `https://chat.example/ws${query}`,
  headers: new Headers({ upgrade: "websocket", "sec-websocket-version": "13", ...headers }),
});
const offer = (protocols: string) => upgrade({ "sec-websocket-protocol": protocols });
const code = (act: () => unknown): string => {
  try {
    return `returned ${JSON.stringify(act())}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("readHandshake", () => {
  it.each([
    ["chat.v1", "chat.v1"],
    ["chat.v1.lines", "chat.v1.lines"],
    ["chat.v1, chat.v1.lines", "chat.v1.lines"],
    [`chat.v1,chat.token.${JWT}`, "chat.v1"],
    [`chat.token.${JWT}, chat.v1.lines , chat.v1`, "chat.v1.lines"],
    ["graphql-ws, chat.v1", "chat.v1"],
  ])("W19 chooses from %s", (offered, chosen) => {
    expect(readHandshake(offer(offered))).toBe(chosen);
  });

  it("chooses nothing where nothing is offered", () => {
    expect(readHandshake(upgrade())).toBeUndefined();
  });

  it.each([
    ["the token alone", `chat.token.${JWT}`],
    ["a foreign protocol", "graphql-ws"],
    ["a hundred protocols", ["chat.v1", ...Array.from({ length: 99 }, (_, n) => `p${n}`)].join(", ")],
    ["the same protocol twice", "chat.v1, chat.v1"],
    ["an empty entry", "chat.v1,,x"],
    ["characters that no protocol has", "chat.v1, a(b)"],
    ["a space inside", "chat.v1, a b"],
    ["an empty offer", ""],
    ["another case", "CHAT.V1"],
  ])("W19 refuses %s", (_case, offered) => {
    expect(code(() => readHandshake(offer(offered)))).toBe("bad_request");
  });

  it("W04 wants an upgrade, by GET, of version 13", () => {
    expect(code(() => readHandshake({ ...upgrade(), headers: new Headers() }))).toBe("upgrade_required");
    expect(code(() => readHandshake(upgrade({ upgrade: "h2c" })))).toBe("upgrade_required");
    expect(code(() => readHandshake(upgrade({}, { method: "POST" })))).toBe("bad_request");
    expect(code(() => readHandshake(upgrade({ "sec-websocket-version": "8" })))).toBe("bad_request");
    expect(readHandshake(upgrade({ upgrade: "WebSocket" }))).toBeUndefined();
  });
});

describe("readCredentials", () => {
  it.each([
    ["Authorization", upgrade({ authorization: `Bearer ${JWT}` })],
    ["Authorization in lower case", upgrade({ authorization: `bearer ${JWT}` })],
    ["a subprotocol", offer(`chat.v1, chat.token.${JWT}`)],
    ["the query", upgrade({}, { query: `?roomId=lobby&token=${JWT}` })],
    ["two places that agree", upgrade({ authorization: `Bearer ${JWT}` }, { query: `?token=${JWT}` })],
  ])("finds the token in %s", (_place, request) => {
    expect(readCredentials(request)).toEqual({ token: JWT, since: undefined });
  });

  it("finds none where there is none", () => {
    expect(readCredentials(upgrade({ cookie: `token=${JWT}` }))).toEqual({ token: undefined, since: undefined });
  });

  it.each([
    ["header and query differ", upgrade({ authorization: `Bearer ${JWT}` }, { query: `?token=${OTHER}` })],
    [
      "header and subprotocol differ",
      upgrade({ authorization: `Bearer ${JWT}`, "sec-websocket-protocol": `chat.v1, chat.token.${OTHER}` }),
    ],
    ["two subprotocols differ", offer(`chat.v1, chat.token.${JWT}, chat.token.${OTHER}`)],
    ["two parameters differ", upgrade({}, { query: `?token=${JWT}&token=${OTHER}` })],
    ["two headers were sent", upgrade({ authorization: `Bearer ${JWT}, Bearer ${JWT}` })],
    ["the scheme is another", upgrade({ authorization: "Basic dTpw" })],
    ["there are two spaces", upgrade({ authorization: `Bearer  ${JWT}` })],
    ["the parameter is empty", upgrade({}, { query: "?token=" })],
    ["the parameter has no value", upgrade({}, { query: "?token" })],
    ["the subprotocol is empty", offer("chat.v1, chat.token.")],
  ])("T19 refuses when %s", (_case, request) => {
    expect(code(() => readCredentials(request))).toBe("token_malformed");
  });

  it("reads where the client stopped", () => {
    const { since } = readCredentials(upgrade({}, { query: "?since=e_1-x.42" }));
    expect(since).toEqual({ epoch: "e_1-x", seq: 42 });
  });

  it.each([
    "",
    "5",
    "e1",
    "e1.",
    "e1.-1",
    "e1.1e3",
    "e1.9007199254740993",
    "e1.1.2",
    "e%31.1",
    "e1.1;drop",
    `${"e".repeat(33)}.1`,
  ])("A05 refuses to resume from %j", (since) => {
    expect(code(() => readCredentials(upgrade({}, { query: `?since=${since}` })))).toBe("bad_cursor");
  });
});

describe("readBearer", () => {
  it("takes exactly one", () => {
    expect(readBearer(null)).toBeUndefined();
    expect(readBearer(`Bearer ${JWT}`)).toBe(JWT);
    expect(code(() => readBearer(""))).toBe("token_malformed");
  });
});

const ALIASES = [
  "%72oom",
  "a%2Fb",
  "..%2f",
  "%00",
  "lobby%00",
  "demo:lobby",
  "lobby.",
  "lobby%20",
  "lobby+",
  "n%CC%83",
  "%C3%B1",
  "%F0%9F%98%80",
  "x".repeat(65),
  "x".repeat(2048),
  "",
];

describe("readRoomParameter", () => {
  const room = (query: string) => readRoomParameter(`https://chat.example/ws${query}`);

  it("S4-6 is the lobby unless another room is named", () => {
    expect(room("")).toBe("lobby");
    expect(room("?token=x")).toBe("lobby");
    expect(room("?token=x&roomId=Team_1-a")).toBe("Team_1-a");
  });

  it.each(ALIASES)("W07 refuses %j before any decoding", (alias) => {
    expect(code(() => room(`?roomId=${alias}`))).toBe("bad_room_id");
  });

  it("W07 refuses two different rooms", () => {
    expect(code(() => room("?roomId=a&roomId=b"))).toBe("bad_room_id");
  });
});

describe("readRoomPath", () => {
  const path = (rest: string) => readRoomPath(`https://rooms.example${rest}`);

  it("finds the room, whatever the query says", () => {
    expect(path("/parties/main/lobby")).toBe("lobby");
    expect(path("/parties/main/Team_1-a?_pk=x&roomId=/parties/main/other")).toBe("Team_1-a");
  });

  it.each(ALIASES)("W07 refuses %j before any decoding", (alias) => {
    expect(code(() => path(`/parties/main/${alias}`))).toBe("bad_room_id");
  });

  it.each([
    "/party/lobby",
    "//parties/main/lobby",
    "/parties/main//lobby",
    "/parties/main/lobby/",
    "/parties/main/lobby/tail",
    "/parties/other/lobby",
    "/x/parties/main/lobby",
    "/?x=/parties/main/lobby",
  ])("W07 refuses %s", (rest) => {
    expect(code(() => path(rest))).toBe("bad_room_id");
  });
});
