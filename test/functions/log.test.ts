import { describe, expect, it } from "vitest";
import { createLog } from "../../functions/log.ts";
import { createApp } from "../../functions/app.ts";
import { alice, createMemoryDeps } from "../support/memory-deps.ts";
import { bearer } from "../support/requests.ts";

const request = {
  event: "request",
  method: "GET",
  route: "/v1/channels",
  status: 200,
  ms: 3,
  requestId: "r-1",
  userId: "alice",
  code: undefined,
} as const;

function logOf(settings: object): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = [];
  return { lines, log: createLog(settings, (line) => void lines.push(line)) };
}

describe("the log", () => {
  it("S2-20 S4-30 writes a request as one line of JSON, when it is on", () => {
    const { lines, log } = logOf({ ENABLE_LOGGING: true });
    log(request);
    expect(lines).toHaveLength(1);
    const { code: _code, ...expected } = request;
    expect(JSON.parse(lines[0] ?? "")).toEqual({ level: "info", ...expected });
  });
  it("S2-20 keeps quiet about requests when it is off, and tells of failures all the same", () => {
    const { lines, log } = logOf({ ENABLE_LOGGING: false });
    log(request);
    log({ ...request, status: 404 });
    expect(lines).toEqual([]);
    log({ ...request, status: 503, code: "storage_unavailable" });
    log({ event: "problem", part: "identity", reason: "the key set has no keys" });
    log({ event: "bug", requestId: "r-2", route: "/v1/token", error: new Error("x") });
    log({ event: "failure", requestId: "r-3", route: "/v1/token", code: "storage_unavailable", error: new Error("x") });
    const levels = lines.map((line) => (JSON.parse(line) as { level: string }).level);
    expect(levels).toEqual(["error", "warn", "error", "error"]);
  });
  it("O01 S0-8 S1-14 writes no secret of the settings, wherever it stands", () => {
    const { lines, log } = logOf({
      CHAT_JWT_SECRET: "canary-secret-0123456789",
      DATABASE_URL: "postgresql://u:canary@db/x",
    });
    const error = new Error("failed with canary-secret-0123456789", { cause: new Error("postgresql://u:canary@db/x") });
    log({ event: "bug", requestId: "r", route: "/", error });
    log({ event: "problem", part: "store", reason: "postgresql://u:canary@db/x" });
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain("canary");
  });
  it("M05 logs a path that leads nowhere as such, and not as it was typed", async () => {
    const memory = await createMemoryDeps({ ENABLE_LOGGING: "true" });
    await memory.app.request("/wp-admin/canary.php?x=canary");
    expect(memory.lines).toHaveLength(1);
    expect(JSON.parse(memory.lines[0] ?? "")).toMatchObject({ route: "*", status: 404, code: "not_found" });
    expect(memory.lines[0]).not.toContain("canary");
    await memory.stop();
  });
  it("O01 names the route by its pattern and the user by id, and nothing else of a request", async () => {
    const memory = await createMemoryDeps({ ENABLE_LOGGING: "true" });
    const token = await memory.chatToken("rest", alice);
    await createApp(memory.deps).request(
      "/v1/channels/secret-room/messages?before=7",
      bearer(token, { cookie: "c=canary" }),
    );
    expect(JSON.parse(memory.lines[0] ?? "")).toEqual({
      level: "info",
      event: "request",
      method: "GET",
      route: "/v1/channels/:id/messages",
      status: 404,
      ms: 0,
      requestId: expect.any(String),
      userId: "alice",
      code: "room_not_found",
    });
    await memory.stop();
  });
});
