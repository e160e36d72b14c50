import { describe, expect, it } from "vitest";
import { ChatError } from "../../protocol/errors.ts";
import { RestrictionReply } from "../../protocol/http.ts";
import { alice, APP, bob } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { bearer, problemOf } from "../support/requests.ts";
import { actions, becomeAnotherApp, as, memory, send, withKey, openDeploymentForEachTest } from "./manage-people.ts";

openDeploymentForEachTest();

describe("POST /v1/users/{id}/revoke", () => {
  const revoke = () => withKey("POST", "/v1/users/alice/revoke");

  it("J24 refuses tokens and sign-ins from before, and takes those after the answer", async () => {
    const [token, session] = [await memory.chatToken("rest"), await memory.session()];
    const reply = RestrictionReply.parse(await (await revoke()).json());
    expect(reply).toMatchObject({ userId: "alice", banned: false });
    expect(Date.parse(reply.revokedBefore ?? "")).toBe(memory.clock.now());
    const refused = { status: 401, code: "token_revoked" };
    for (const path of ["/v1/channels", "/v1/token", "/v1/users/bob/presence", "/v1/presence?roomId=lobby"])
      expect(await problemOf(await memory.app.request(path, bearer(token)))).toEqual(refused);
    expect(await problemOf(await send("POST", "/v1/token", bearer(session).headers))).toEqual(refused);
    expect((await as(alice, "GET", "/v1/channels")).status).toBe(200);
    const iat = memory.clock.now() / 1_000;
    const again = await memory.session({ iat, exp: iat + 60 });
    expect((await send("POST", "/v1/token", bearer(again).headers)).status).toBe(200);
    expect((await as(bob, "GET", "/v1/channels")).status).toBe(200);
  });

  it("J24 answers only when what is issued from then on can be told apart, by whole seconds", async () => {
    memory.clock.advance(321);
    const { revokedBefore } = RestrictionReply.parse(await (await revoke()).json());
    expect(Date.parse(revokedBefore ?? "") % 1_000).toBe(0);
    expect(memory.clock.now()).toBe(Date.parse(revokedBefore ?? ""));
  });

  it("J24 an exchange that had been let in before everybody knew gets tokens from before", async () => {
    const { take } = memory.limiter;
    memory.limiter.take = async (...call) => {
      const answer = await take.apply(memory.limiter, call);
      memory.clock.advance(5_000);
      return answer;
    };
    const answer = await send("POST", "/v1/token", bearer(await memory.session()).headers);
    const { token } = (await answer.json()) as { token: string };
    const [, payload = ""] = token.split(".");
    expect((JSON.parse(Buffer.from(payload, "base64url").toString()) as { iat: number }).iat).toBe(START / 1_000);
  });

  it("tells everybody: the store with its audit log, Redis, and where the user may be", async () => {
    await revoke();
    const { revokedBefore } = await memory.store.findRestriction(APP, alice);
    expect(memory.restrictions.saved.get("demo:user:alice")).toEqual({ revokedBefore, ban: null });
    expect(memory.rooms.orders).toMatchObject([{ to: "demo", order: { userId: "alice", revokedBefore } }]);
    expect(memory.rooms.orders[0]?.order).not.toHaveProperty("ban");
    expect(await actions()).toEqual([["user.revoke", "alice"]]);
  });

  it.each([
    ["Redis", "storage_unavailable", () => (memory.restrictions.isDown = true)],
    ["the rooms", "rooms_unavailable", () => (memory.rooms.isDown = true)],
  ])(
    "says so when %s cannot be reached, has done the rest, and completes when it is sent again",
    async (_, code, down) => {
      down();
      expect(await problemOf(await revoke())).toEqual({ status: 503, code });
      expect((await memory.store.findRestriction(APP, alice)).revokedBefore).toBeGreaterThan(0);
      expect(memory.restrictions.saved.size + memory.rooms.orders.length).toBe(1);
      memory.restrictions.isDown = memory.rooms.isDown = false;
      expect((await revoke()).status).toBe(200);
      expect((await revoke()).status).toBe(200);
    },
  );

  it("tries a later second when telling everybody took too long", async () => {
    const { saveRestriction } = memory.restrictions;
    let slow = 1;
    memory.restrictions.saveRestriction = async (...call) => {
      if (slow-- > 0) memory.clock.advance(2_000);
      await saveRestriction.apply(memory.restrictions, call);
    };
    const reply = RestrictionReply.parse(await (await revoke()).json());
    expect(Date.parse(reply.revokedBefore ?? "")).toBeGreaterThan(START + 2_000);
    expect(memory.rooms.orders).toHaveLength(2);
    expect(await actions()).toEqual([["user.revoke", "alice"]]);
    slow = 9;
    expect(await problemOf(await revoke())).toEqual({ status: 503, code: "storage_unavailable" });
  });

  it("J24 asks the store when Redis is away, and fails closed when both are", async () => {
    const token = await memory.chatToken("rest");
    await revoke();
    memory.limiter.isDegraded = true;
    const refused = async () => problemOf(await memory.app.request("/v1/channels", bearer(token)));
    expect(await refused()).toEqual({ status: 401, code: "token_revoked" });
    expect((await as(alice, "GET", "/v1/channels")).status).toBe(200);
    memory.deps.store.findRestriction = () => Promise.reject(new ChatError("storage_unavailable"));
    const failed = { status: 503, code: "storage_unavailable" };
    expect(await problemOf(await as(alice, "GET", "/v1/channels"))).toEqual(failed);
    expect(await problemOf(await send("POST", "/v1/token", bearer(await memory.session()).headers))).toEqual(failed);
    expect(await problemOf(await withKey("POST", "/v1/tokens", { userId: "bob" }))).toEqual(failed);
  });

  it("is for an API key of the user's own app only", async () => {
    expect(await problemOf(await as(alice, "POST", "/v1/users/bob/revoke"))).toEqual({
      status: 401,
      code: "invalid_api_key",
    });
    const token = await memory.chatToken("rest");
    await becomeAnotherApp();
    expect((await revoke()).status).toBe(200);
    expect((await memory.app.request("/v1/channels", bearer(token))).status).toBe(200);
  });
});

describe("POST and DELETE /v1/users/{id}/ban", () => {
  const exchange = async () => {
    const iat = memory.clock.now() / 1_000;
    return send("POST", "/v1/token", bearer(await memory.session({ iat, exp: iat + 60 })).headers);
  };

  it("A09 holds when an older change of the same user reaches Redis last", async () => {
    const ban = async () => expect((await withKey("POST", "/v1/users/alice/ban")).status).toBe(200);
    await ban();
    const { restrictions } = memory;
    const save = restrictions.saveRestriction.bind(restrictions);
    let letGo = (): void => {};
    const bannedAgain = new Promise<void>((resolve) => (letGo = resolve));
    let saves = 0;
    restrictions.saveRestriction = async (...call) => {
      if (saves++ === 0) await bannedAgain;
      await save(...call);
    };
    const lifting = withKey("DELETE", "/v1/users/alice/ban");
    await expect.poll(() => saves).toBe(1);
    await ban();
    letGo();
    await lifting;
    memory.clock.advance(60_000);
    const reply = await send("POST", "/v1/token", bearer(await memory.session()).headers);
    expect(await problemOf(reply)).toEqual({ status: 403, code: "banned" });
  });

  it("A09 refuses everything the user could do, and tokens for them, until it is lifted", async () => {
    const old = await memory.chatToken("rest");
    const answer = RestrictionReply.parse(
      await (await withKey("POST", "/v1/users/alice/ban", { reason: "spam" })).json(),
    );
    expect(answer).toMatchObject({ banned: true, bannedUntil: null });
    const refused = { status: 403, code: "banned" };
    expect(await problemOf(await exchange())).toEqual(refused);
    expect(await problemOf(await withKey("POST", "/v1/tokens", { userId: "alice" }))).toEqual(refused);
    expect(await problemOf(await memory.app.request("/v1/channels", bearer(old)))).toEqual(refused);
    expect((await withKey("POST", "/v1/tokens", { userId: "bob" })).status).toBe(200);
    expect(memory.rooms.orders.at(-1)?.order).toMatchObject({ userId: "alice", ban: { until: null } });
    await withKey("DELETE", "/v1/users/alice/ban");
    expect(memory.rooms.orders.at(-1)?.order).toEqual({
      userId: "alice",
      requestId: expect.any(String) as string,
      decidedAt: expect.any(Number) as number,
      ban: null,
    });
    expect((await exchange()).status).toBe(200);
    expect(await problemOf(await memory.app.request("/v1/channels", bearer(old)))).toMatchObject({
      code: "token_revoked",
    });
    expect(await actions()).toEqual([
      ["user.ban", "alice"],
      ["user.unban", "alice"],
    ]);
  });

  it("A09 D16 ends by itself after its seconds", async () => {
    const reply = await withKey("POST", "/v1/users/alice/ban", { seconds: 60 });
    const { bannedUntil } = RestrictionReply.parse(await reply.json());
    expect(Date.parse(bannedUntil ?? "")).toBe(START + 60_000);
    expect((await exchange()).status).toBe(403);
    memory.clock.advance(60_000);
    expect((await exchange()).status).toBe(200);
  });

  it.each([{ seconds: 0 }, { seconds: 1.5 }, { seconds: 1e12 }, { reason: "" }, { until: "tomorrow" }])(
    "takes no %j",
    async (body) => {
      expect(await problemOf(await withKey("POST", "/v1/users/alice/ban", body))).toEqual({
        status: 400,
        code: "bad_request",
      });
    },
  );
});
