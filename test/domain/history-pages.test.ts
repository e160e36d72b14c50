import fc from "fast-check";
import { expect, it } from "vitest";
import { readHistory } from "../../domain/history.ts";
import type { EventRange, RoomEvent } from "../../domain/ports/history.ts";
import type { RoomTail } from "../../domain/ports/room-link.ts";
import { alice, APP, createMemoryDeps } from "../support/memory-deps.ts";
import { createPlans, PLANS } from "../support/plans.ts";
import { storedEvent } from "../support/room-events.ts";

const RUNS = 200;

/** What happens to the room between any two questions: `said` more messages, `written` of those that wait. */
interface Step {
  said: number;
  written: number;
  /** Every so many rows is refused by history. */
  refusedEvery: number;
  taken: boolean;
}
const step = fc.record({
  said: fc.nat({ max: 8 }),
  written: fc.nat({ max: 12 }),
  refusedEvery: fc.integer({ min: 2, max: 7 }),
  taken: fc.boolean(),
});

/** A room and its history that go on changing while they are read. */
class MovingRoom {
  readonly stored = new Map<number, RoomEvent>();
  readonly aside = new Map<number, RoomEvent>();
  head = 0;
  storedSeq = 0;
  readonly #steps: Step[];

  constructor(head: number, storedSeq: number, steps: Step[]) {
    this.head = head;
    this.#steps = [...steps];
    this.#write(storedSeq, 5);
  }

  /** Lets the next thing happen. */
  move(): void {
    const { said, written, refusedEvery, taken } = this.#steps.shift() ?? {
      said: 0,
      written: 0,
      refusedEvery: 2,
      taken: false,
    };
    this.head += said;
    this.#write(written, refusedEvery);
    if (!taken) return;
    for (const [seq, event] of this.aside) this.stored.set(seq, event);
    this.aside.clear();
  }

  list({ before = Infinity, after, limit }: EventRange): RoomEvent[] {
    const within = [...this.stored.values()]
      .filter(({ seq }) => seq > (after ?? 0) && seq < before)
      .toSorted((one, other) => one.seq - other.seq);
    return after !== undefined && before === Infinity ? within.slice(0, limit) : within.slice(-limit);
  }

  tail({ before = Infinity, after, limit }: EventRange): RoomTail {
    const waiting = Array.from({ length: this.head - this.storedSeq }, (_, at) => storedEvent(this.storedSeq + 1 + at));
    const isForward = after !== undefined && before === Infinity;
    const part = (events: RoomEvent[]) => {
      const within = events.filter(({ seq }) => seq > (after ?? 0) && seq < before);
      return isForward ? within.slice(0, limit) : within.slice(-limit);
    };
    const aside = [...this.aside.values()].toSorted((one, other) => one.seq - other.seq);
    const events = [...part(aside), ...part(waiting)];
    return { epoch: "e1", head: this.head, storedSeq: this.storedSeq, isMember: true, events };
  }

  #write(count: number, refusedEvery: number): void {
    const last = Math.min(this.head, this.storedSeq + count);
    for (let seq = this.storedSeq + 1; seq <= last; seq++)
      (seq % refusedEvery === 0 ? this.aside : this.stored).set(seq, storedEvent(seq));
    this.storedSeq = last;
  }
}

async function reader(room: MovingRoom) {
  const memory = await createMemoryDeps();
  const deps = {
    store: {
      ...memory.deps.store,
      listEvents: async (_app: unknown, _id: unknown, range: EventRange) => answer(room.list(range), room),
    },
    rooms: {
      ...memory.deps.rooms,
      readTail: async (_app: unknown, _id: unknown, _caller: unknown, range: EventRange = { limit: 10_000 }) =>
        answer(room.tail(range), room),
    },
  };
  await createPlans(memory.store);
  const caller = { kind: "user", app: APP, userId: alice } as never;
  return { memory, page: (range: object) => readHistory(deps, caller, PLANS, range) };
}

/** The answer is as old as the question; by the time it is there the room has moved on. */
function answer<Answer>(given: Answer, room: MovingRoom): Answer {
  const copy = structuredClone(given);
  room.move();
  return copy;
}

it("I14 D05 D06 paging forward from anywhere, while messages come and rows are written, refused and taken, gives every seq once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 60 }),
      fc.nat({ max: 60 }),
      fc.nat({ max: 60 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(step, { maxLength: 40 }),
      async (head, stored, since, limit, steps) => {
        const room = new MovingRoom(head, stored, steps);
        const { memory, page } = await reader(room);
        const seqs: number[] = [];
        const start = Math.min(since, head);
        for (let after: number | null = start; after !== null;) {
          const { messages, next }: Awaited<ReturnType<typeof page>> = await page({ after, limit });
          seqs.push(...messages.map(({ seq }) => seq));
          after = next;
        }
        await memory.stop();
        expect(seqs.slice(0, head - start)).toEqual(Array.from({ length: head - start }, (_, at) => start + 1 + at));
        expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, at) => start + 1 + at));
      },
    ),
    { numRuns: RUNS, seed: 20_260_301 },
  );
});

it("I14 D05 D06 paging back from the newest gives every seq once as well", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 60 }),
      fc.nat({ max: 60 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(step, { maxLength: 40 }),
      async (head, stored, limit, steps) => {
        const room = new MovingRoom(head, stored, steps);
        const { memory, page } = await reader(room);
        let seqs: number[] = [];
        let query: object | null = { limit };
        while (query !== null) {
          const { messages, prev }: Awaited<ReturnType<typeof page>> = await page(query);
          seqs = [...messages.map(({ seq }) => seq), ...seqs];
          query = prev === null ? null : { before: prev, limit };
        }
        await memory.stop();
        expect(seqs.length).toBeGreaterThanOrEqual(head);
        expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, at) => 1 + at));
      },
    ),
    { numRuns: RUNS, seed: 20_260_301 },
  );
});
