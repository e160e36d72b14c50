import { describe, expect, it } from "vitest";
import { UserId } from "../../protocol/ids.ts";
import { World } from "./world.ts";

it("A09 A10 an order that comes while its subject is being looked up is not missed", async () => {
  const world = new World({ channelId: "plans" });
  const { app, channelId, store } = world;
  const channel = { app, id: channelId, type: "private" as const, name: "Plans", createdBy: "alice", custom: {} };
  await store.createChannel({ ...channel, members: [UserId.parse("bob")] });
  await world.connect("alice");
  let [isAsked, goOn] = [() => {}, () => {}];
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  const answered = new Promise<void>((resolve) => (goOn = resolve));
  const { findMember } = store;
  store.findMember = async (...call) => {
    const found = await findMember(...call);
    isAsked();
    await answered;
    return found;
  };
  const coming = world.connect("bob");
  await asked;
  await world.order({ order: "remove", userId: "bob" });
  goOn();
  const bob = await coming;
  expect(bob.closed).toEqual({ code: 4005, reason: "internal" });
  expect(bob.all("room_joined")).toEqual([]);
});

describe("the removal of somebody whose joining is being written", () => {
  const ours = (world: World) => world.token("app", { kind: "internal" });
  const remove = async (world: World, token: string) => {
    const body = { order: "remove", userId: "bob", requestId: "request-1" };
    const answer = await world.request("people", token, "POST", body);
    return (await answer.json()) as { hadJoined: boolean };
  };

  it("A10 is answered when it has been written, so that whoever asks can put it right", async () => {
    const world = new World();
    const { writeBatch } = world.store;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    world.store.writeBatch = async (batch) => {
      await held;
      await writeBatch(batch);
    };
    await world.connect("bob");
    await world.advance(500);
    const answered = remove(world, await ours(world)).then(async ({ hadJoined }) => ({
      hadJoined,
      there: await world.store.findMember(world.app, world.channelId, UserId.parse("bob")),
    }));
    await expect.poll(() => world.platform.storage.keys("mem:")).toEqual([]);
    release();
    expect(await answered).toMatchObject({ hadJoined: true, there: { userId: "bob" } });
  });

  it("A10 says so only while history may not know of it", async () => {
    const world = new World();
    await world.connect("bob");
    await world.advance(2_000);
    expect(await remove(world, await ours(world))).toEqual({ ended: 1, hadJoined: false });
    await world.connect("bob");
    expect(await remove(world, await ours(world))).toEqual({ ended: 1, hadJoined: true });
  });
});
