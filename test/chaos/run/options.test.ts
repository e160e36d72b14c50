import { describe, expect, it } from "vitest";
import { FAULTS } from "../world/types.ts";
import { parseOptions } from "./options.ts";
import { UsageError } from "../../../commands/arguments.ts";

const read = (line: string) =>
  parseOptions(
    line.split(" ").filter((word) => word !== ""),
    ["no_dedup"],
  );

describe("the arguments of a chaos run", () => {
  it("have defaults, and all faults", () => {
    expect(read("--seed 7 --minutes 0.5")).toMatchObject({ seed: 7, minutes: 0.5, rooms: 8, faults: FAULTS });
  });

  it("name faults, or none", () => {
    expect(read("--faults acks_dropped,rooms_killed")).toMatchObject({ faults: ["acks_dropped", "rooms_killed"] });
    expect(read("--faults none")).toMatchObject({ faults: [] });
  });

  it("name a bug, whose scenario decides the rest", () => {
    expect(read("--bug no_dedup")).toEqual({ bug: "no_dedup", out: undefined, jsonFile: undefined });
  });

  it.each([
    ["--bug nothing_known", 'There is no bug "nothing_known"'],
    ["--bug no_dedup --minutes 3", "Cannot take --minutes with --bug"],
    ["--faults nothing_known", 'There is no fault "nothing_known"'],
    ["--minutes soon", 'Cannot read --minutes "soon"'],
    ["--rooms 9 --clients 3", "There are more --rooms than --clients"],
    ["--colour red", "--colour"],
  ])("are refused: %s", (line, text) => {
    expect(() => read(line)).toThrow(UsageError);
    expect(() => read(line)).toThrow(text);
  });
});
