import { describe, expect, it } from "vitest";
import { Turns } from "./turns.ts";
import type { FaultName, Injected } from "./types.ts";

function openTurns() {
  const turns = new Turns();
  const begun: FaultName[] = [];
  const inject = (name: FaultName, fails = false) =>
    turns.take(name, async (): Promise<Injected> => {
      begun.push(name);
      if (fails) throw new Error("It cannot be done");
      return { name, heal: async () => undefined, hadEffect: () => true, detail: () => "" };
    });
  return { begun, inject };
}

describe("faults of the rooms' process", () => {
  it("wait for the one before to be healed, others do not", async () => {
    const { begun, inject } = openTurns();
    const killed = await inject("rooms_killed");
    const stopping = inject("rooms_stopped");
    await inject("redis_hangs");
    expect(begun).toEqual(["rooms_killed", "redis_hangs"]);
    await killed.heal();
    await stopping;
    expect(begun).toEqual(["rooms_killed", "redis_hangs", "rooms_stopped"]);
  });

  it("do not wait for one that could not be done", async () => {
    const { inject } = openTurns();
    await expect(inject("rooms_killed", true)).rejects.toThrow("It cannot be done");
    expect((await inject("rooms_stopped")).name).toBe("rooms_stopped");
  });
});
