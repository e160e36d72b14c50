import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ClientFrame,
  ClientFrame as ClientFrameSchema,
  parseClientFrame,
  splitLines,
} from "../../protocol/frames.ts";
import { parseJson } from "../../protocol/json.ts";
import { badJson, hardJson } from "../support/json-cases.ts";

const id = (min: number, max: number) => fc.stringMatching(new RegExp(`^[A-Za-z0-9_-]{${min},${max}}$`));
const roomId = id(1, 64);
const seq = fc.maxSafeNat();
// Any text that JSON can carry: JSON.stringify escapes what is not well-formed, and parsing brings it back.
const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));

/** Every frame a client may send. */
const goodFrame: fc.Arbitrary<object> = fc.oneof(
  fc.record(
    {
      type: fc.constant("message"),
      roomId,
      content: anyText,
      clientMessageId: id(8, 64),
      timestamp: fc.string({ maxLength: 64 }),
    },
    { requiredKeys: ["type", "content"] },
  ),
  fc.record(
    { type: fc.constant("join_room"), roomId, since: fc.record({ epoch: id(1, 32), seq }) },
    { requiredKeys: ["type", "roomId"] },
  ),
  fc.record({ type: fc.constant("leave_room"), roomId }),
  fc.record({ type: fc.constant("typing"), roomId, isTyping: fc.boolean() }, { requiredKeys: ["type", "isTyping"] }),
  fc.record({ type: fc.constantFrom("read", "received"), roomId, seq }, { requiredKeys: ["type", "seq"] }),
  fc.record({ type: fc.constant("refresh"), token: anyText }),
  fc.constant({ type: "ping" }),
);
const plain = (frame: object): unknown => JSON.parse(JSON.stringify(frame));
const FIELDS = ["roomId", "content", "clientMessageId", "timestamp", "since", "isTyping", "seq", "token"];

describe("parseClientFrame", () => {
  it("reads every frame that keeps to the protocol, and reads it back to the letter", () => {
    fc.assert(
      fc.property(goodFrame, (frame) => {
        expect(parseClientFrame(JSON.stringify(frame))).toEqual({ ok: true, frame: plain(frame) });
      }),
      { numRuns: 2_000 },
    );
  });

  it("does not care about space between tokens or the order of fields", () => {
    fc.assert(
      fc.property(goodFrame, fc.constantFrom(" ", "\t", "\n", "\r\n"), (frame, space) => {
        const backwards = Object.fromEntries(Object.entries(frame).toReversed());
        const text = space + JSON.stringify(backwards, undefined, 2).replaceAll("\n", space) + space;
        fc.pre(!JSON.stringify(frame).includes("\\n") || space.trim() === "");
        expect(parseClientFrame(text)).toEqual({ ok: true, frame: plain(frame) });
      }),
    );
  });

  it("F12 refuses a good frame with any field more, whatever it is called", () => {
    const name = fc.oneof(anyText, fc.constantFrom("role", "userId", "messageId", "seq2", "meta", "toString"));
    fc.assert(
      fc.property(goodFrame, name, fc.jsonValue(), (frame, extra, value) => {
        fc.pre(![...FIELDS, "type"].includes(extra));
        const parsed = parseClientFrame(JSON.stringify({ ...frame, [extra]: value }));
        expect(parsed.ok).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it("F12 refuses a good frame with a field of another type, or without one it needs", () => {
    const wrong = fc.constantFrom(null, [], {}, [1], { a: 1 });
    fc.assert(
      fc.property(goodFrame, fc.nat(), wrong, fc.boolean(), (frame, at, value, isMissing) => {
        const names = Object.keys(frame);
        const name = names[at % names.length] ?? "type";
        const spoilt: Record<string, unknown> = { ...frame, [name]: value };
        if (isMissing) delete spoilt[name];
        const parsed = parseClientFrame(JSON.stringify(spoilt));
        expect(parsed.ok).toBe(isMissing && ClientFrameSchema.safeParse(spoilt).success);
        expect(["bad_frame", "unknown_type", undefined]).toContain(parsed.ok ? undefined : parsed.code);
      }),
      { numRuns: 2_000 },
    );
  });

  it("F19 never throws, and knows two answers, whatever the text is", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.json({ maxDepth: 20 }),
      fc.tuple(goodFrame, fc.nat(), anyText).map(([frame, at, splinter]) => {
        const good = JSON.stringify(frame);
        return good.slice(0, at % good.length) + splinter + good.slice(at % good.length);
      }),
    );
    fc.assert(
      fc.property(text, (one) => {
        const parsed = parseClientFrame(one);
        if (parsed.ok) return ClientFrameSchema.safeParse(parsed.frame).success;
        return ["bad_frame", "unknown_type"].includes(parsed.code) && parsed.detail.length > 0;
      }),
      { numRuns: 100_000 },
    );
  });

  it("never says what was in a field, only what is wrong with it", () => {
    fc.assert(
      fc.property(goodFrame, fc.constantFrom(...FIELDS), (frame, name) => {
        const parsed = parseClientFrame(JSON.stringify({ ...frame, [name]: { secret: "canary-of-a-user" } }));
        return parsed.ok || !parsed.detail.includes("canary");
      }),
    );
  });

  it.each([
    [
      { type: "message", roomId: "team", content: 1, clientMessageId: "cid-000001" },
      { roomId: "team", clientMessageId: "cid-000001" },
    ],
    [{ type: "message", roomId: "no room", content: 1, clientMessageId: "short" }, {}],
    [
      { type: "nonsense", roomId: "team" },
      { code: "unknown_type", roomId: "team" },
    ],
  ])("names in its answer to %j what could be read of it", (frame, named) => {
    const parsed = parseClientFrame(JSON.stringify(frame));
    expect(parsed).toMatchObject({ ok: false, ...named });
    expect("roomId" in parsed).toBe("roomId" in named);
    expect("clientMessageId" in parsed).toBe("clientMessageId" in named);
  });

  it.each(badJson())("F07 refuses what is not JSON: %s", (_what, text) => {
    expect(parseClientFrame(text)).toMatchObject({ ok: false, code: "bad_frame" });
    expect(parseClientFrame(`{"type":"message","content":${text}}`)).toMatchObject({ ok: false });
  });

  it.each(hardJson())("F08 F09 F10 reads or refuses, and is none the worse for it: %s", (_what, text, isTaken) => {
    expect(parseJson(text) !== undefined).toBe(isTaken);
    expect(parseClientFrame(text)).toMatchObject({ ok: false });
    expect(parseClientFrame(`{"type":"ping","field":${text}}`)).toMatchObject({ ok: false });
    expect("polluted" in {}).toBe(false);
  });

  it.each([1e3, 1e4, 1e5, 1e6])("F09 refuses %i levels without walking them", (levels) => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
      ['[{"a":', "}]"],
    ] as const) {
      expect(parseClientFrame(open.repeat(levels))).toMatchObject({ ok: false, code: "bad_frame" });
      const whole = `${open.repeat(levels)}1${close.repeat(levels)}`;
      expect(parseClientFrame(`{"type":"message","content":${whole}}`)).toMatchObject({ ok: false, code: "bad_frame" });
    }
  });

  it("F09 takes 16 levels as JSON and not 17, and does not count brackets in texts", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect([parseJson(nested(16)) !== undefined, parseJson(nested(17))]).toEqual([true, undefined]);
    const frame: ClientFrame = { type: "message", content: `\\"${"[{".repeat(500)}\\` };
    expect(parseClientFrame(JSON.stringify(frame))).toEqual({ ok: true, frame });
    expect(parseJson(`${'["\\\\",'.repeat(2)}${"]".repeat(2)}`)).toBeUndefined();
    expect(parseJson(`[${"[],".repeat(50)}[]]`)).toHaveLength(51);
  });

  it.each([
    ['{"type":"ping","type":"message","content":"x"}', { type: "message", content: "x" }],
    ['{"type":"message","content":"one","content":"two"}', { type: "message", content: "two" }],
    ['{"type":"read","seq":1,"s\\u0065q":2}', { type: "read", seq: 2 }],
  ])("F11 takes the last of equal keys: %s", (text, frame) => {
    expect(parseClientFrame(text)).toEqual({ ok: true, frame });
  });
});

describe("splitLines", () => {
  it("brings back the frames that were put together, one a line", () => {
    fc.assert(
      fc.property(
        fc.array(goodFrame, { maxLength: 64 }),
        fc.constantFrom("\n", "\n\n", " \n", "\r\n"),
        (frames, end) => {
          const lines = splitLines(frames.map((frame) => JSON.stringify(frame) + end).join(""));
          expect(lines.map(parseClientFrame)).toEqual(frames.map((frame) => ({ ok: true, frame: plain(frame) })));
        },
      ),
    );
  });

  it("leaves no line break and no empty line, whatever the text is", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("\n", "\r", " ", "{", "}", "a", "\u2028") }), (text) =>
        splitLines(text).every((line) => line.trim() !== "" && !line.includes("\n")),
      ),
    );
  });
});
