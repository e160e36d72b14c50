import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameCutter, textFrame, textOf, typeOf } from "./frames.ts";

describe("WebSocket frames", () => {
  it("are cut off whole, however their bytes arrive", () => {
    const sizes = fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000);
    const frame = fc.tuple(sizes, fc.boolean()).map(([size, masked]) => textFrame("x".repeat(size), masked));
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat(70_000), { maxLength: 12 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames);
        const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
        const cutter = new FrameCutter();
        const chunks = places.map((place, at) => bytes.subarray(places[at - 1] ?? 0, place));
        const cut = chunks.flatMap((chunk) => cutter.push(chunk));
        return cut.length === frames.length && cut.every((each, at) => frames[at]?.equals(each) === true);
      }),
      { numRuns: 50 },
    );
  });

  it("say what was written into them, masked or not", () => {
    const texts = fc.string({ unit: "grapheme", maxLength: 300 });
    fc.assert(fc.property(texts, fc.boolean(), (text, masked) => textOf(textFrame(text, masked)) === text));
    const masked = Buffer.from([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]); // RFC 6455, 5.7
    expect(textOf(masked)).toBe("Hello");
  });

  it("that are not a whole text say nothing", () => {
    expect([0x82, 0x01, 0x89, 0x8a, 0x88].map((first) => textOf(Buffer.from([first, 0])))).toEqual(
      Array.from({ length: 5 }, () => undefined),
    );
  });

  it("have the type that the protocol gave them, not one that somebody wrote", () => {
    expect(typeOf(JSON.stringify({ type: "ack", seq: 1 }))).toBe("ack");
    expect(typeOf(JSON.stringify({ content: '"type":"ack"', type: "message" }))).toBe("message");
    expect(typeOf("no JSON")).toBe("");
  });
});
