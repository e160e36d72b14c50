import { describe, expect, it } from "vitest";
import { World } from "./world.ts";

describe("the board that spans rooms", () => {
  it("learns who came and went in batches, never at every change", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    expect(world.reports).toEqual([]);
    await world.advance(3_000);
    expect(world.reports).toEqual([{ online: ["alice", "bob"], offline: [] }]);
    await bob.leave();
    await world.advance(10_000);
    expect(world.reports.slice(1)).toEqual([{ online: [], offline: ["bob"] }]);
    await alice.leave();
    await world.advance(10_000);
    expect(world.reports.at(-1)).toEqual({ online: [], offline: ["alice"] });
  });

  it("is told again every minute, also by a room that sleeps", async () => {
    const world = new World({ sleepy: true });
    const alice = await world.connect("alice");
    for (let waited = 0; waited < 180; waited += 20) {
      await world.advance(20_000);
      await alice.say({ type: "ping" });
    }
    const online = world.reports.filter((report) => report.online.includes("alice"));
    expect(online.length).toBeGreaterThanOrEqual(3);
    expect(online.length).toBeLessThanOrEqual(6);
  });

  it("does not disturb the room while it is away, and learns everything later", async () => {
    const world = new World();
    world.boardIsDown = true;
    const alice = await world.connect("alice");
    await world.advance(40_000);
    expect(await alice.post("hello")).toMatchObject({ type: "ack" });
    world.boardIsDown = false;
    await world.advance(40_000);
    expect(world.reports.flatMap(({ online }) => online)).toContain("alice");
  });
});
