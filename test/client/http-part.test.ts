import { afterEach, beforeEach, expect, it } from "vitest";
import { createEmitter } from "../../client/emitter.ts";
import { createHttp } from "../../client/http.ts";
import { openRoom } from "../../client/room-session.ts";
import type { ClientEvents } from "../../client/types.ts";
import type { ServerFrame } from "../../protocol/frames.ts";
import { range, seqs } from "./conversation.ts";
import { FakeWorld, settle } from "./fake-world.ts";
import { joined, message } from "./scripted-server.ts";

let world: FakeWorld;
beforeEach(() => (world = new FakeWorld()));
afterEach(() => world.end());

const ABSENT = joined(100, { recovered: false, messages: range(81, 100) }) as unknown as ServerFrame;

/** A room in a client whose part for HTTP fails to load so often; then 70 messages are missing. */
function openWithout(failures: number) {
  const events = createEmitter<ClientEvents>();
  const limits = { messageMaxLength: 1, messageMaxBytes: 1, frameMaxBytes: 1, messagesPerWindow: 1, windowMs: 1 };
  const asked: unknown[] = [];
  const gaps: unknown[] = [];
  const host = {
    platform: world.platform,
    events,
    limits,
    catchUpMax: 2_000,
    userId: "alice",
    send: ({ type }: Record<string, unknown>) => type !== "join_room" || asked.push(type) > 0,
    http: async () => {
      if (failures-- > 0) throw new Error("The file cannot be reached");
      return createHttp({
        platform: world.platform,
        tokens: { take: async () => ({ token: "t", wsToken: "w" }), used: () => {}, refuse: () => false },
        baseUrl: "https://chat.test",
        unauthorized: () => {},
      } as unknown as Parameters<typeof createHttp>[0]); // what of tokens it has a use for
    },
  };
  const session = openRoom("lobby", host, () => {}, () => {}); // prettier-ignore
  session.room.on("gap", (gap) => gaps.push(gap));
  session.hear(joined(10, { messages: [message(10)] }) as unknown as ServerFrame);
  session.hear(ABSENT);
  return { session, asked, gaps };
}

/** So many seconds; the room answers whenever it is asked. */
async function live({ session, asked }: ReturnType<typeof openWithout>, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    const before = asked.length;
    session.tick();
    if (asked.length > before) session.hear(ABSENT);
    await world.pass(1_000);
  }
  await settle();
}

it("what is missing is fetched once the part for HTTP loads", async () => {
  world.answer = () => ({ status: 200, body: { messages: range(11, 80), next: null, prev: 10 } });
  const opened = openWithout(2);
  await live(opened, 20);
  expect(seqs(opened.session.room)).toEqual(range(10, 100).map(({ seq }) => seq));
  expect(opened.gaps).toEqual([]);
});

it("what is missing is passed over, and told as a gap, when the part for HTTP never loads", async () => {
  const opened = openWithout(Infinity);
  await live(opened, 2);
  expect([seqs(opened.session.room), opened.gaps]).toEqual([[10], []]);
  await live(opened, 30);
  expect(seqs(opened.session.room)).toEqual(range(81, 100).map(({ seq }) => seq));
  expect(opened.gaps).toEqual([{ after: 10, before: 81 }]);
  expect(opened.session.room.state.hasMore).toBe(true);
});
