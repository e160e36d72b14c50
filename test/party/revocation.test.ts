import { describe, expect, it } from "vitest";
import { World } from "./world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.each([
  ["awake", false],
  ["asleep between any two events", true],
])("revoked tokens, in a room that is %s", (_, sleepy) => {
  const open = () => new World({ sleepy });
  const bob = (world: World) => world.connect("bob");
  const admission = async (world: World, user: string) => {
    const answer = await world.request("admission", await world.token(user));
    return answer.status === 204 ? "welcome" : ((await answer.json()) as { code: string }).code;
  };

  it("J24 an older revocation that arrives late frees no token", async () => {
    const world = open();
    await world.order({ order: "revoke", userId: "bob", before: world.now + 2_000 });
    await world.order({ order: "revoke", userId: "bob", before: world.now + 1_000 });
    world.now += 1_000;
    expect(await admission(world, "bob")).toBe("token_revoked");
    world.now += 1_000;
    expect(await admission(world, "bob")).toBe("welcome");
  });

  it("J24 revokes: sockets with older tokens end, newer ones stay, and older tokens are refused from then on", async () => {
    const world = open();
    const old = await world.token("bob");
    const first = await bob(world);
    await world.advance(2_000);
    const before = world.now;
    const second = await bob(world);
    expect(await world.order({ order: "revoke", userId: "bob", before })).toBe(1);
    expect([first, second].map(({ closed }) => closed?.code)).toEqual([4500, undefined]);
    const replayed = await world.connect("bob", { token: old });
    expect(replayed.closed).toEqual({ code: 4500, reason: "invalid_token" });
    expect(await world.order({ order: "revoke", userId: "bob", before })).toBe(0);
    expect((await bob(world)).closed).toBeUndefined();
  });

  it("J24 refuses a refresh with a token that was revoked while its user was here", async () => {
    const world = open();
    const old = await world.token("bob");
    await world.advance(2_000);
    const client = await bob(world);
    await world.order({ order: "revoke", userId: "bob", before: world.now });
    await client.say({ type: "refresh", token: await world.token("bob") });
    expect(client.closed).toBeUndefined();
    await client.say({ type: "refresh", token: old });
    expect(client.closed).toEqual({ code: 4500, reason: "invalid_token" });
  });

  it("J24 refuses a refresh with a token that was revoked before its user came here", async () => {
    const world = open();
    const old = await world.token("bob");
    await world.advance(2_000);
    const client = await world.connect("bob", { notBefore: world.now });
    await client.say({ type: "refresh", token: old });
    expect(client.closed?.code).toBe(4500);
  });

  it("A09 a ban from the whole app says so, for sockets that many rooms share", async () => {
    const world = open();
    const client = await bob(world);
    await world.advance(2_000);
    expect(await world.order({ order: "expel", userId: "bob", before: world.now })).toBe(1);
    expect(client.closed).toEqual({ code: 4506, reason: "banned: everywhere" });
  });

  it("J24 a socket that new tokens keep open is opened anew every day, so that its user's rooms are known", async () => {
    const world = open();
    const client = await world.connect("bob", { lifeMs: DAY });
    const refresh = async () => client.say({ type: "refresh", token: await world.token("bob", { lifeMs: DAY }) });
    await world.advance(DAY - HOUR);
    await refresh();
    expect(client.closed).toBeUndefined();
    await world.advance(2 * HOUR);
    await refresh();
    expect(client.closed).toEqual({ code: 4000, reason: "restart" });
  });

  it("drops revocations that no token can be old enough for", async () => {
    const world = open();
    await world.order({ order: "revoke", userId: "bob", before: world.now });
    world.now += 4 * DAY;
    await world.order({ order: "revoke", userId: "carol", before: world.now });
    expect(world.platform.storage.keys("out:")).toEqual(["out:carol"]);
  });
});
