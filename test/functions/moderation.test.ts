import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditPage } from "../../protocol/http.ts";
import { alice, type APP, bob, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { jsonBody, problemOf } from "../support/requests.ts";

let memory: MemoryDeps;
let key: Record<string, string>;
beforeEach(async () => {
  memory = await createMemoryDeps();
  key = { "x-api-key": await memory.apiKey() };
});
afterEach(() => memory.stop());

const as = async (user: typeof alice) => ({ authorization: `Bearer ${await memory.chatToken("rest", user)}` });
const get = (path: string, headers: Record<string, string> = key) => memory.app.request(path, { headers });
const put = (path: string, body: unknown, headers: Record<string, string> = key) =>
  memory.app.request(path, { ...jsonBody(body, headers), method: "PUT" });
const auditOf = async (query = "?limit=200") =>
  ofRequests((await (await get(`/v1/audit${query}`)).json()) as AuditPage);
/** Without the making of the keys that the test itself needs. */
const ofRequests = ({ entries, next }: AuditPage): AuditPage => ({
  entries: entries.filter(({ action }) => action !== "key.create"),
  next,
});
const createPlans = async () => {
  await memory.app.request("/v1/channels", jsonBody({ channel_id: "plans", type: "private" }, await as(alice)));
};
const PLANS = "/v1/channels/plans/moderation";

describe("/v1/moderation", () => {
  it("S0-27 says what holds where nothing was set, and then what was set", async () => {
    expect(await (await get("/v1/moderation")).json()).toEqual({ mode: "block", blocked: [], allowed: [] });
    const settings = { mode: "mask", blocked: ["wibble", "two words"], allowed: ["scunthorpe"] };
    expect(await (await put("/v1/moderation", settings)).json()).toEqual(settings);
    expect(await (await get("/v1/moderation")).json()).toEqual(settings);
    expect(await (await put("/v1/moderation", { mode: "off" })).json()).toEqual({
      mode: "off",
      blocked: [],
      allowed: [],
    });
  });

  it.each([
    {},
    { mode: "loud" },
    { mode: "mask", blocked: ["x".repeat(65)] },
    { mode: "mask", blocked: [" "] },
    { mode: "mask", blocked: ["nul \0"] },
    { mode: "mask", blocked: ["\ud800"] },
    { mode: "mask", blocked: Array.from({ length: 501 }, (_, index) => `w${index}`) },
    { mode: "mask", allowed: [1] },
    { mode: "mask", extra: true },
  ])("refuses %j", async (settings) => {
    expect(await problemOf(await put("/v1/moderation", settings))).toEqual({ status: 400, code: "bad_request" });
    expect(await (await get("/v1/moderation")).json()).toMatchObject({ mode: "block" });
  });

  it("A02 is for the app's server only", async () => {
    for (const path of ["/v1/moderation", "/v1/audit"])
      expect(await problemOf(await get(path, await as(alice)))).toEqual({ status: 401, code: "invalid_api_key" });
  });

  it("T03 is one app's", async () => {
    await put("/v1/moderation", { mode: "off" });
    const other = { "x-api-key": await memory.apiKey("live", "other" as typeof APP) };
    expect(await (await get("/v1/moderation", other)).json()).toMatchObject({ mode: "block" });
    expect(await (await get("/v1/audit", other)).json()).toMatchObject({
      entries: [{ action: "key.create" }],
      next: null,
    });
  });
});

describe("/v1/channels/{id}/moderation", () => {
  beforeEach(createPlans);

  it("S0-27 is the owner's and the server's, and begins with the app's mode", async () => {
    await put("/v1/moderation", { mode: "flag", blocked: ["wibble"] });
    expect(await (await get(PLANS)).json()).toEqual({ mode: "flag", blocked: [], allowed: [] });
    const settings = { mode: "mask", blocked: ["wobble"], allowed: [] };
    expect((await put(PLANS, settings, await as(alice))).status).toBe(200);
    expect(memory.rooms.told).toEqual(["demo:plans"]);
    expect(await (await get(PLANS)).json()).toEqual(settings);
    expect((await put(PLANS, { ...settings, mode: "off" })).status).toBe(200);
  });

  it("D01 is set all the same when the room cannot be told", async () => {
    memory.rooms.isDown = true;
    expect((await put(PLANS, { mode: "off" })).status).toBe(200);
    await memory.settle();
  });

  it("A02 is nobody else's, and not there for who cannot see the channel", async () => {
    const { app } = memory;
    expect(await problemOf(await put(PLANS, { mode: "off" }, await as(bob)))).toEqual({
      status: 404,
      code: "room_not_found",
    });
    await app.request("/v1/channels/plans/members", jsonBody({ userIds: ["bob"] }, key));
    for (const response of [await put(PLANS, { mode: "off" }, await as(bob)), await get(PLANS, await as(bob))])
      expect(await problemOf(response)).toEqual({ status: 403, code: "forbidden" });
    expect((await put("/v1/channels/nowhere/moderation", { mode: "off" })).status).toBe(404);
  });
});

describe("/v1/audit", () => {
  it("S4-27 O08 tells what was done over HTTP: by whom, to what, for which request", async () => {
    await createPlans();
    const response = await put(PLANS, { mode: "mask", blocked: ["wibble"] });
    const { entries, next } = await auditOf();
    const at = new Date(memory.clock.now()).toISOString();
    expect(next).toBeNull();
    expect(entries).toMatchObject([
      {
        at,
        action: "moderation.change",
        actor: expect.stringMatching(/^key:[a-z0-9]{12}$/),
        channelId: "plans",
        subject: "plans",
        requestId: response.headers.get("x-request-id"),
        detail: "mask, 1 blocked, 0 allowed",
      },
      {
        at,
        action: "channel.create",
        actor: "alice",
        channelId: "plans",
        detail: "private",
        requestId: expect.any(String),
      },
    ]);
    expect(JSON.stringify(entries)).not.toContain("wibble");
  });

  it("S4-27 tells what somebody known was refused, and of a flood a few", async () => {
    await createPlans();
    const headers = await as(bob);
    let requestId: string | null = null;
    for (let time = 0; time < 25; time++) {
      const response = await get("/v1/channels/plans", headers);
      if (time === 0) requestId = response.headers.get("x-request-id");
    }
    await get("/v1/channels/plans", { authorization: "Bearer nonsense" });
    await memory.settle();
    const refused = (await auditOf()).entries.filter(({ action }) => action === "request.refuse");
    const details = refused.map(({ detail }) => detail);
    expect(details).toEqual(["readChannel room_not_found x10", "readChannel room_not_found"]);
    expect(refused[1]).toMatchObject({ actor: "bob", channelId: "plans", subject: "plans", requestId });
    memory.clock.advance(60_000);
    await get("/v1/channels/plans", headers);
    await memory.settle();
    expect((await auditOf("?limit=1")).entries).toMatchObject([{ detail: "readChannel room_not_found" }]);
  });

  it("S4-27 tells about whom, and in which channel, somebody was refused something", async () => {
    await createPlans();
    const headers = { ...(await as(bob)), "content-type": "application/json" };
    const ask = async (method: string, path: string, body?: object) =>
      memory.app.request(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    await ask("POST", "/v1/channels/plans/bans", { userId: "carol" });
    await ask("DELETE", "/v1/channels/plans/members/dave");
    await ask("POST", "/v1/channels", { channelId: "plans" });
    await memory.settle();
    const refused = (await auditOf("?channelId=plans")).entries.filter(({ action }) => action === "request.refuse");
    expect(refused.map(({ subject, detail }) => [subject, detail])).toEqual([
      ["plans", "createChannel channel_exists"],
      ["dave", "removeMember room_not_found"],
      ["carol", "setBan room_not_found"],
    ]);
  });

  it("J24 S4-27 tells who asked with a token that was revoked", async () => {
    const headers = await as(bob);
    memory.clock.advance(1_000);
    await memory.app.request("/v1/users/bob/revoke", { method: "POST", headers: key });
    expect(await problemOf(await get("/v1/channels", headers))).toEqual({ status: 401, code: "token_revoked" });
    await memory.settle();
    const refused = (await auditOf()).entries.filter(({ action }) => action === "request.refuse");
    expect(refused).toMatchObject([{ actor: "bob", detail: "listChannels token_revoked" }]);
  });

  it.each([
    ["names under any of its names", { channel_id: "plans" }, "plans"],
    ["names under another of them", { roomId: "plans" }, "plans"],
    ["names wrongly", { channelId: "a\u0000 whole story ".repeat(100) }, null],
  ])(
    "O08 S4-27 has of a request that is refused the channel that it %s, if it is one",
    async (_what, body, channelId) => {
      const headers = await as(bob);
      memory.clock.advance(1_000);
      await memory.app.request("/v1/users/bob/revoke", { method: "POST", headers: key });
      await memory.app.request("/v1/channels", jsonBody(body, headers));
      await memory.settle();
      const refused = (await auditOf()).entries.filter(({ action }) => action === "request.refuse");
      const about = { channelId, subject: channelId, detail: "createChannel token_revoked" };
      expect(refused).toMatchObject([about]);
    },
  );

  it("S4-27 tells who was over a limit, and of a flood a few, whatever it names", async () => {
    const headers = await as(bob);
    const statuses: number[] = [];
    for (let time = 0; time < 110; time++) {
      const asked = jsonBody({ channel_id: `room-${time}` }, headers);
      statuses.push((await memory.app.request("/v1/channels", asked)).status);
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(50);
    await memory.settle();
    const refused = (await auditOf()).entries.filter(({ action }) => action === "request.refuse");
    expect(refused.map(({ actor, detail }) => [actor, detail])).toEqual([
      ["bob", "createChannel rate_limited x10"],
      ["bob", "createChannel rate_limited"],
    ]);
  });

  it("D01 answers a refusal all the same when the log cannot be written", async () => {
    memory.deps.store.writeAudit = async () => Promise.reject(new Error("Postgres is away"));
    expect((await get("/v1/channels/nowhere", await as(bob))).status).toBe(404);
    await memory.settle();
    expect(memory.lines.join()).toContain("Postgres is away");
  });

  it("pages, and shows one channel alone", async () => {
    for (const id of ["one", "two", "three"])
      await memory.app.request("/v1/channels", jsonBody({ channel_id: id }, await as(alice)));
    const first = await auditOf("?limit=2");
    expect(first.entries.map(({ subject }) => subject)).toEqual(["three", "two"]);
    const second = await auditOf(`?limit=2&before=${first.next}`);
    expect(second).toMatchObject({ entries: [{ subject: "one" }], next: null });
    expect((await auditOf("?channelId=two")).entries.map(({ subject }) => subject)).toEqual(["two"]);
    expect(await problemOf(await get("/v1/audit?before=0"))).toEqual({ status: 400, code: "bad_cursor" });
    expect(await problemOf(await get("/v1/audit?channelId=a/b"))).toEqual({ status: 400, code: "bad_room_id" });
  });
});
