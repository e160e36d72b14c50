import { describe, expect, it } from "vitest";
import { createRoomLogger } from "../../party/log.ts";
import { ChatError } from "../../protocol/errors.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { World } from "./world.ts";

const SECRET = "postgres://u:hunter2@db.example/x";
const KEY = "chatsdk_live_abcdefghijkl_0123456789";

function logged(error: unknown): string {
  const lines: string[] = [];
  createRoomLogger(false, (line) => void lines.push(line)).error("failed", error, { seq: 7 });
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

describe("W18 M05 a room's log of an error", () => {
  it.each<[string, unknown]>([
    ["its message", new Error(`connect ${SECRET} ${KEY}`)],
    ["a message of many lines, which a stack begins with", new TypeError(`a\n  at ${SECRET}\n${KEY}`)],
    ["its cause", new ChatError("storage_unavailable", { cause: new Error(`${SECRET} ${KEY}`) })],
    ["its detail", new ChatError("bad_content", { detail: `${SECRET} ${KEY}` })],
    ["what was thrown instead of one", `${SECRET} ${KEY}`],
    ["the fields it has", Object.assign(new Error("x"), { query: SECRET, params: [KEY] })],
  ])("never holds %s", (_what, error) => {
    const line = logged(error);
    for (const word of ["hunter2", "chatsdk_live", "postgres"]) expect(line).not.toContain(word);
  });

  it("holds the kind, the code, and where: enough to find it by", () => {
    const line: unknown = JSON.parse(logged(new ChatError("storage_unavailable")));
    expect(line).toMatchObject({ level: "error", event: "failed", seq: 7 });
    expect(line).toHaveProperty("error", expect.stringMatching(/^ChatError storage_unavailable at .*log\.test\.ts/));
  });

  it("is one line however much a fact holds", () => {
    const lines: string[] = [];
    createRoomLogger(true, (line) => void lines.push(line)).note("noted", { what: `a\r\n{"level":"error"}\u2028` });
    expect(lines[0]).not.toMatch(/[\r\n]/);
    expect(JSON.parse(lines[0] ?? "")).toHaveProperty("level", "info");
  });

  it("tells nothing of a store that fails with its own address, nor of what was said", async () => {
    const store = { ...createMemoryStore(), writeBatch: () => Promise.reject(new Error(`${SECRET}: my diary`)) };
    const world = new World({ store });
    const alice = await world.connect("alice");
    await alice.post("my diary");
    await world.advance(5_000);
    expect(world.logged.filter((line) => line.includes("history_write_failed")).length).toBeGreaterThan(0);
    expect(world.logged.join("\n")).not.toMatch(/hunter2|diary/);
  });
});
