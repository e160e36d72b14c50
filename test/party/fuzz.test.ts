import fc from "fast-check";
import { expect, it } from "vitest";
import { World } from "./world.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("lobby", "message", "cid-000001", "\ud800", "__proto__"),
);
const value = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(text, { maxLength: 3 }),
  fc.object(),
);
const type = fc.constantFrom(
  "message",
  "join_room",
  "leave_room",
  "typing",
  "read",
  "refresh",
  "received",
  "ping",
  "auth",
  "x",
);
const frame = fc.record(
  {
    type,
    roomId: fc.oneof(fc.constant("lobby"), value),
    content: value,
    clientMessageId: fc.oneof(fc.constantFrom("cid-000001", "cid-000002"), value),
    timestamp: value,
    since: fc.oneof(fc.record({ epoch: text, seq: fc.oneof(fc.nat(), value) }), value),
    isTyping: fc.oneof(fc.boolean(), value),
    seq: fc.oneof(fc.nat(), value),
    token: value,
    extra: value,
  },
  { requiredKeys: ["type"] },
);
const wire = fc.oneof(
  frame.map((one) => JSON.stringify(one)),
  text,
  fc.json({ maxDepth: 20 }),
);

it("F19 nothing a client can send is an exception, or touches a bystander", async () => {
  const world = new World({ settings: { RATE_LIMIT_MAX_MESSAGES: 1_000_000 } });
  const bystander = await world.connect("bystander");
  let mallory = await world.connect("mallory");
  await fc.assert(
    fc.asyncProperty(wire, async (message) => {
      if (mallory.closed !== undefined) mallory = await world.connect("mallory");
      await world.room.message(mallory.connection, message);
    }),
    { numRuns: 3_000 },
  );
  expect(world.logged.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  expect(bystander.closed).toBeUndefined();
  expect(await bystander.post("still fine")).toMatchObject({ type: "ack" });
  expect(bystander.frames.length).toBeGreaterThan(0);
});
