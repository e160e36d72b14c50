import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HistoryPage } from "../../protocol/http.ts";
import type { ClientMessageId, UserId } from "../../protocol/ids.ts";
import { alice, APP, bob, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { problemOf } from "../support/requests.ts";
import { createPlans, PLANS } from "../support/plans.ts";
import { storedEvent } from "../support/room-events.ts";

let memory: MemoryDeps;
beforeEach(async () => {
  memory = await createMemoryDeps();
  await createPlans(memory.store);
});
afterEach(() => memory.stop());

/** Puts events up to `stored` into the store and leaves those up to `head` with the room. */
async function write(stored: number, head: number, isMember = true): Promise<void> {
  const events = Array.from({ length: head }, (_, at) => storedEvent(at + 1));
  await memory.store.writeBatch({
    app: APP,
    channelId: PLANS,
    events: events.slice(0, stored),
    members: [],
    reads: [],
  });
  memory.rooms.tails.set(`${APP}:${PLANS}`, {
    epoch: "e1",
    head,
    storedSeq: stored,
    isMember,
    events: events.slice(stored),
  });
}
async function ask(query: string, user: UserId = alice): Promise<Response> {
  const headers = { authorization: `Bearer ${await memory.chatToken("rest", user)}` };
  return memory.app.request(`/v1/channels/${PLANS}/messages${query}`, { headers });
}
async function page(query: string, user: UserId = alice): Promise<HistoryPage & { seqs: number[] }> {
  const read = HistoryPage.parse(await (await ask(query, user)).json());
  return { ...read, seqs: read.messages.map(({ seq }) => seq) };
}
const span = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe("GET /v1/channels/{id}/messages", () => {
  it.each([
    ["", { limit: 50 }],
    ["?after=7&limit=5", { after: 7, limit: 5 }],
    ["?before=9&limit=5", { before: 9, limit: 5 }],
  ])("D06 asks the room for what the page %s can need", async (query, range) => {
    await write(2, 9);
    const asked: unknown[] = [];
    const readTail = memory.rooms.readTail.bind(memory.rooms);
    memory.deps.rooms.readTail = (app, id, caller, part) => {
      asked.push(part);
      return readTail(app, id);
    };
    expect((await ask(query)).status).toBe(200);
    expect(asked).toEqual([range]);
  });
  it("S4-20 I04 shows what a message is, and its client id to its author only", async () => {
    const clientMessageId = "client-0001" as ClientMessageId;
    const events = [storedEvent(1, { clientMessageId }), storedEvent(2, { clientMessageId, userId: bob })];
    await memory.store.writeBatch({ app: APP, channelId: PLANS, events, members: [], reads: [] });
    memory.rooms.tails.set(`${APP}:${PLANS}`, { epoch: "e1", head: 2, storedSeq: 2, isMember: true, events: [] });
    const { messages } = await page("");
    expect(messages[0]).toEqual({
      messageId: "msg-1",
      roomId: "plans",
      userId: "alice",
      username: "Alice",
      content: "message 1",
      timestamp: new Date(storedEvent(1).at).toISOString(),
      seq: 1,
      clientMessageId,
    });
    expect(messages[1]).not.toHaveProperty("clientMessageId");
  });

  it("answers the newest page, with what was acked and is not written yet", async () => {
    await write(95, 100);
    expect(await page("?limit=10")).toMatchObject({ seqs: span(91, 100), next: null, prev: 91 });
    expect((await page("")).seqs).toEqual(span(51, 100));
  });
  it("pages back to the first message and forward to the last, every message once", async () => {
    await write(90, 100);
    const back: number[] = [];
    let before: number | null = 101;
    while (before !== null) {
      const { seqs, prev }: { seqs: number[]; prev: number | null } = await page(`?limit=7&before=${before}`);
      back.unshift(...seqs);
      before = prev;
    }
    expect(back).toEqual(span(1, 100));
    const forward: number[] = [];
    let after: number | null = 0;
    while (after !== null) {
      const { seqs, next }: { seqs: number[]; next: number | null } = await page(`?limit=7&after=${after}`);
      forward.push(...seqs);
      after = next;
    }
    expect(forward).toEqual(span(1, 100));
  });
  it("reads a gap between two positions", async () => {
    await write(100, 100);
    expect((await page("?after=10&before=15")).seqs).toEqual(span(11, 14));
    expect((await page("?after=10&before=11")).seqs).toEqual([]);
  });

  it("asks the room only when the store cannot prove the page whole", async () => {
    await write(100, 100);
    memory.rooms.asked = 0;
    await page("?limit=10&before=50");
    await page("?limit=10&before=5");
    await page("?limit=10&after=50");
    expect(memory.rooms.asked).toBe(0);
    await page("?limit=10&after=95");
    await page("?limit=10&before=200");
    await page("?limit=10");
    expect(memory.rooms.asked).toBe(3);
  });

  it("D06 answers 503 and never a hole when the room that is needed cannot be reached", async () => {
    await write(95, 100);
    memory.rooms.isDown = true;
    for (const query of ["", "?after=90", "?before=101", "?after=95"])
      expect(await problemOf(await ask(query))).toEqual({ status: 503, code: "rooms_unavailable" });
    expect((await page("?before=90&limit=10")).seqs).toEqual(span(80, 89));
  });
  it("D06 reads once more when the room wrote between the two questions", async () => {
    await write(90, 100);
    const { store } = memory.deps;
    const stale = await store.listEvents(APP, PLANS, { limit: 20 });
    await write(100, 100);
    const { listEvents } = store;
    let reads = 0;
    store.listEvents = async (...question) => ((reads += 1) === 1 ? stale : listEvents(...question));
    expect((await page("?limit=20")).seqs).toEqual(span(81, 100));
    expect(reads).toBe(2);
  });

  it.each([
    ["?after=10", span(11, 12)],
    ["?after=10&before=13", span(11, 12)],
    ["?after=5&limit=6", span(6, 11)],
    ["?after=10&before=13&limit=1", [12]],
  ])(
    "D06 leaves no hole at the start of %s when the room wrote and went on between the two questions",
    async (query, whole) => {
      await write(10, 11);
      const { store } = memory.deps;
      const [position] = /(?<=after=)\d+/.exec(query) ?? [];
      const range = { after: Number(position), limit: 6 };
      const stale = await store.listEvents(APP, PLANS, range);
      await write(11, 12);
      const { listEvents } = store;
      let reads = 0;
      store.listEvents = async (...question) => ((reads += 1) === 1 ? stale : listEvents(...question));
      expect(await page(query)).toMatchObject({ seqs: whole });
      expect(reads).toBeLessThanOrEqual(2);
    },
  );
  it.each(["", "?after=5", "?after=8", "?after=5&before=13", "?before=13"])(
    "D06 goes on in %j over a message that the store refused for good",
    async (query) => {
      await write(12, 12);
      const { store } = memory.deps;
      const { listEvents } = store;
      store.listEvents = async (...question) => (await listEvents(...question)).filter(({ seq }) => seq !== 9);
      const { seqs } = await page(query);
      expect(seqs.slice(-3)).toEqual([10, 11, 12]);
      expect(seqs).not.toContain(9);
    },
  );
  it("comes to an end where the newest events are of a kind that is not shown", async () => {
    await write(12, 12);
    const { store } = memory.deps;
    const { listEvents } = store;
    const isShown = ({ seq }: { seq: number }) => ![4, 5, 6, 11, 12].includes(seq);
    store.listEvents = async (app, id, range) =>
      (await listEvents(app, id, { ...range, limit: 100 })).filter(isShown).slice(0, range.limit);
    const seen: number[] = [];
    let pages = 0;
    for (let after: number | null = 0; after !== null && pages < 20; pages++) {
      const { seqs, next }: { seqs: number[]; next: number | null } = await page(`?limit=3&after=${after}`);
      seen.push(...seqs);
      after = next;
    }
    expect([seen, pages]).toEqual([[1, 2, 3, 7, 8, 9, 10], 3]);
    expect(await page("?after=10")).toMatchObject({ seqs: [], next: null });
  });

  it("D06 ends a page before a message that the store refused for good", async () => {
    await write(12, 13);
    const { store } = memory.deps;
    const { listEvents } = store;
    store.listEvents = async (...question) => (await listEvents(...question)).filter(({ seq }) => seq !== 9);
    expect((await page("?before=10&limit=3")).seqs).toEqual([7, 8]);
  });
  it.each(["", "?after=5", "?after=12", "?before=21", "?after=5&before=21"])(
    "D06 answers 503 to %j when the room does not tell all that is not written yet",
    async (query) => {
      await write(10, 20);
      memory.rooms.tails.get(`${APP}:${PLANS}`)?.events.splice(5);
      expect(await problemOf(await ask(query))).toEqual({ status: 503, code: "rooms_unavailable" });
    },
  );

  it("A04 is not there for who is not a member", async () => {
    await write(10, 10, false);
    expect(await problemOf(await ask("", bob))).toEqual({ status: 404, code: "room_not_found" });
    expect(await problemOf(await ask("?before=5&limit=2", bob))).toEqual({ status: 404, code: "room_not_found" });
  });
  it("is there for who has just joined, as the room knows before the store", async () => {
    await write(10, 12, true);
    expect((await page("", bob)).seqs).toEqual(span(1, 12));
  });

  it.each([
    "-1",
    "1e30",
    "9007199254740993",
    "1;drop table events",
    "abc",
    "",
    "1.5",
    "0x10",
    "NaN",
    "null",
    "+1",
    "%31",
  ])("A05 refuses the position %j", async (cursor) => {
    for (const name of ["before", "after"])
      expect(await problemOf(await ask(`?${name}=${cursor}`))).toEqual({ status: 400, code: "bad_cursor" });
  });
  it("A05 takes positions at the ends of what a seq can be", async () => {
    await write(5, 5);
    expect((await page("?before=9007199254740991")).seqs).toEqual(span(1, 5));
    expect(await page("?after=9007199254740991")).toMatchObject({ seqs: [], next: null, prev: 6 });
    expect(await page("?before=0")).toMatchObject({ seqs: [], prev: null });
    expect(await page("?before=1")).toMatchObject({ seqs: [], prev: null });
  });
  it.each(["0", "-1", "201", "1e9", "all", "NaN"])("A06 refuses the limit %j", async (limit) => {
    expect(await problemOf(await ask(`?limit=${limit}`))).toEqual({ status: 400, code: "bad_request" });
  });
  it("answers an empty channel with an empty page", async () => {
    expect(await page("")).toMatchObject({ messages: [], next: null, prev: null });
    expect(await page("?before=50")).toMatchObject({ messages: [], prev: null });
    expect(await page("?after=0")).toMatchObject({ messages: [], next: null, prev: null });
  });
});
