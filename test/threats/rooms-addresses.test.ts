import { describe, expect, it } from "vitest";
import { signChatToken } from "../../domain/chat-tokens.ts";
import { onBeforeRequest, onFetch } from "../../party/edge.ts";
import { claimsOf, NOW, VARIABLES } from "../gateway/fake-sockets.ts";
import { lobby, problem, refused, woken, openDoorsForEachTest } from "./doors.ts";
import { gateway } from "../gateway/each-gateway.ts";

openDoorsForEachTest();

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
