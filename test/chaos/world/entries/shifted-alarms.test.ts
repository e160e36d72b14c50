import { describe, expect, it } from "vitest";
import { awakeRooms, noteRoom } from "./awake-rooms.ts";
import { setClockOffset } from "./clock-offset.ts";
import { type AlarmStorage, ShiftedAlarm } from "./shifted-alarms.ts";

const HOUR = 3_600_000;
let objects = 0;

/** An object's alarm, and what the runtime has kept of it. */
function openAlarm() {
  const kept: { at: number | null } = { at: null };
  const storage: AlarmStorage = {
    getAlarm: async () => kept.at,
    setAlarm: async (at) => void (kept.at = Number(at)),
  };
  setClockOffset(0);
  return { kept, alarm: new ShiftedAlarm(storage, `object-${++objects}`) };
}

describe("an alarm under a clock that can be set", () => {
  it("moves with the clock: it is over at once, or an hour late", async () => {
    const { kept, alarm } = openAlarm();
    await alarm.set(10_000);
    setClockOffset(HOUR);
    await alarm.clockWasSet();
    expect(kept.at).toBe(10_000 - HOUR);
    expect(await alarm.get()).toBe(10_000);
    setClockOffset(-HOUR);
    await alarm.clockWasSet();
    expect(kept.at).toBe(10_000 + HOUR);
  });

  it("stays where a room that noticed first has set it anew", async () => {
    const { kept, alarm } = openAlarm();
    setClockOffset(HOUR);
    await alarm.set(HOUR + 5_000);
    setClockOffset(0);
    await alarm.set(6_000);
    await alarm.clockWasSet();
    expect(kept.at).toBe(6_000);
    expect(await alarm.get()).toBe(6_000);
  });

  it("is read as it was meant while it has not moved yet", async () => {
    const { alarm } = openAlarm();
    await alarm.set(10_000);
    setClockOffset(HOUR);
    expect(await alarm.get()).toBe(10_000);
  });

  it("is of the object and not of one of its lives", async () => {
    const { kept, alarm } = openAlarm();
    await alarm.set(10_000);
    setClockOffset(HOUR);
    const storage: AlarmStorage = {
      getAlarm: async () => kept.at,
      setAlarm: async (at) => void (kept.at = Number(at)),
    };
    await new ShiftedAlarm(storage, `object-${objects}`).clockWasSet();
    expect(kept.at).toBe(10_000 - HOUR);
  });
});

describe("the rooms that hear of a new time", () => {
  it("are those that can tell their key, and one that an alarm woke is no trouble", () => {
    const woken = {
      get id(): string {
        throw new Error("Party.id is not yet initialized");
      },
    };
    expect(noteRoom(woken)).toBe(false);
    expect(noteRoom({ id: "app:lobby" })).toBe(true);
    expect(awakeRooms()).toEqual(["app:lobby"]);
  });
});
