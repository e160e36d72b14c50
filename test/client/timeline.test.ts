import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PlacedMessage, Timeline } from "../../client/timeline.ts";

function line(seq: number): PlacedMessage {
  const seen = { userId: "bob", username: "Bob", content: `${seq}`, timestamp: "" };
  return { key: `m${seq}`, messageId: `m${seq}`, state: "sent", roomId: "lobby", seq, ...seen };
}
const lines = (...seqs: number[]): PlacedMessage[] => seqs.map(line);
const seqs = (messages: readonly PlacedMessage[]): (number | undefined)[] => messages.map(({ seq }) => seq);

describe("Timeline", () => {
  it("I12 gives each message its place once, whatever is doubled and swapped", () => {
    const timeline = new Timeline();
    timeline.begin("e1", 1);
    expect(seqs(timeline.add(lines(2, 2, 1, 1)))).toEqual([1, 2]);
    expect(seqs(timeline.add(lines(2, 4)))).toEqual([]);
    expect(timeline.isMissing).toBe(true);
    expect(seqs(timeline.add(lines(3)))).toEqual([3, 4]);
    expect(timeline).toMatchObject({ position: 4, head: 4, isMissing: false });
  });

  it("goes over places that are no message's, where the server vouches for it", () => {
    const timeline = new Timeline();
    timeline.begin("e1", 1);
    expect(seqs(timeline.add(lines(2, 5), 7))).toEqual([2, 5]);
    expect(seqs(timeline.take(8, undefined))).toEqual([]);
    expect(seqs(timeline.add(lines(9)))).toEqual([9]);
  });

  it("passes over a gap to what came after it", () => {
    const timeline = new Timeline();
    timeline.begin("e1", 1, lines(1, 2));
    timeline.add(lines(5_000, 5_001));
    expect(seqs(timeline.skip())).toEqual([5_000, 5_001]);
    expect(timeline).toMatchObject({ first: 5_000, position: 5_001 });
  });

  it("puts older pages before, without what is there already", () => {
    const timeline = new Timeline();
    timeline.begin("e1", 10, lines(10, 11));
    timeline.prepend(lines(8, 9, 10), 8);
    expect(seqs(timeline.messages)).toEqual([8, 9, 10, 11]);
    expect(timeline.first).toBe(8);
  });

  it("any interleaving of live frames, recoveries, pages and older history shows each place once, in order", () => {
    // Which places of the room are messages, and what reaches the client in which order.
    const room = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
    const step = fc.record({
      kind: fc.constantFrom("live", "recovery", "page", "older", "head"),
      at: fc.nat(59),
      size: fc.integer({ min: 1, max: 15 }),
    });
    fc.assert(
      fc.property(room, fc.nat(59), fc.array(step, { maxLength: 80 }), (isMessage, start, steps) => {
        const head = isMessage.length;
        const first = Math.min(start, head) + 1;
        const between = (from: number, to: number): PlacedMessage[] =>
          Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at + 1).flatMap((seq) =>
            isMessage[seq - 1] ? [line(seq)] : [],
          );
        const timeline = new Timeline();
        timeline.begin("e1", first);
        const told: PlacedMessage[] = [];
        for (const { kind, at, size } of [...steps, { kind: "recovery", at: 0, size: 0 }]) {
          const seq = Math.min(at, head - 1) + 1;
          const { position } = timeline;
          if (kind === "head") timeline.know(seq);
          if (kind === "live" && isMessage[seq - 1]) told.push(...timeline.add([line(seq)]));
          if (kind === "live" && !isMessage[seq - 1]) told.push(...timeline.take(seq, undefined));
          if (kind === "recovery") told.push(...timeline.add(between(position, head), head));
          if (kind === "page") {
            const page = between(position, head).slice(0, size);
            told.push(...timeline.add(page, page.at(-1)?.seq ?? head));
          }
          if (kind === "older" && timeline.first > 1) {
            const page = between(0, timeline.first - 1).slice(-size);
            timeline.prepend(page, page[0]?.seq ?? 1);
          }
        }
        expect(seqs(told)).toEqual(seqs(between(first - 1, head)));
        expect(seqs(timeline.messages)).toEqual(seqs(between(timeline.first - 1, head)));
      }),
      { numRuns: 1_000 },
    );
  });
});
