import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCompactJwt } from "../../domain/compact-jwt.ts";
import { ChatError } from "../../protocol/errors.ts";
import { encodePart } from "../support/raw-jwt.ts";

const codeOf = (token: string): string => {
  try {
    readCompactJwt(token);
    return "read";
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    return error.code;
  }
};
const HEADER = { alg: "RS256", typ: "JWT", kid: "key-1" };
const SIGNATURE = "c2lnbmF0dXJl";
const jwt = (header: object | string | Uint8Array, payload: object | string | Uint8Array, signature = SIGNATURE) =>
  `${encodePart(header)}.${encodePart(payload)}.${signature}`;
const padTo = (length: number) => {
  const rest = `${encodePart(HEADER)}.`;
  return `${rest}${"A".repeat(length - rest.length - SIGNATURE.length - 1)}.${SIGNATURE}`;
};
const object = fc.dictionary(fc.string({ maxLength: 8 }), fc.oneof(fc.string(), fc.integer(), fc.boolean()), {
  maxKeys: 5,
  noNullPrototype: true,
});

describe("readCompactJwt", () => {
  it("takes apart what is put together right, whatever it says", () => {
    fc.assert(
      fc.property(object, object, fc.uint8Array({ minLength: 1 }), (header, payload, signature) => {
        const read = readCompactJwt(jwt(header, payload, encodePart(signature)));
        expect(JSON.stringify(read)).toBe(JSON.stringify({ header, payload }));
      }),
    );
  });

  it("knows one answer to everything else, and never another error", () => {
    const letter = fc.constantFrom(..."AQgwxyz019-_.=+/ \n\u0000é");
    fc.assert(
      fc.property(fc.array(letter, { maxLength: 60 }), (letters) => {
        expect(["read", "token_malformed"]).toContain(codeOf(letters.join("")));
      }),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(codeOf(text)).toBe("token_malformed");
      }),
    );
  });

  it("J19 knows one spelling of each token: no letter can be put in, taken out or changed without a change of meaning", () => {
    const edit = fc.tuple(
      fc.nat(),
      fc.constantFrom(..."AQgwBEF_-=+/. \n\t\r\u0000"),
      fc.constantFrom("in", "out", "over"),
    );
    fc.assert(
      fc.property(
        object,
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        edit,
        (payload, signature, [place, letter, how]) => {
          const token = jwt(HEADER, payload, encodePart(signature));
          const at = place % token.length;
          const tail = token.slice(how === "in" ? at : at + 1);
          const edited = token.slice(0, at) + (how === "out" ? "" : letter) + tail;
          if (edited === token || codeOf(edited) !== "read") return;
          const bytesOf = (text: string) =>
            text.split(".").map((part) => Buffer.from(part, "base64url").toString("hex"));
          expect(bytesOf(edited)).not.toEqual(bytesOf(token));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  // One byte leaves four spare bits in its last letter, two leave two, three none; and no part is one letter over.
  it.each([
    ["AA", "read"],
    ["AQ", "read"],
    ["AB", "token_malformed"],
    ["AI", "token_malformed"],
    ["AAA", "read"],
    ["AAE", "read"],
    ["AAB", "token_malformed"],
    ["AAC", "token_malformed"],
    ["AAAA", "read"],
    ["AAAB", "read"],
    ["A", "token_malformed"],
    ["AAAAA", "token_malformed"],
    ["", "token_malformed"],
    ["AA==", "token_malformed"],
    [" AAA", "token_malformed"],
    ["AAA\n", "token_malformed"],
    ["+AAA", "token_malformed"],
    ["/AAA", "token_malformed"],
  ])("J19 a signature %j: %s", (signature, code) => {
    expect(codeOf(jwt(HEADER, {}, signature))).toBe(code);
  });

  it("J19 spare bits and stray letters are refused in the first two parts, too", () => {
    const spare = `${encodePart("{}").slice(0, -1)}1`; // "e30" with bits that nothing reads
    expect(Buffer.from(spare, "base64url").toString()).toBe("{}");
    expect(codeOf(`e30.e30.${SIGNATURE}`)).toBe("read");
    for (const other of [spare, "e30=", " e30", "e30\n", "~e30", "e30A"]) {
      expect(codeOf(`${other}.e30.${SIGNATURE}`)).toBe("token_malformed");
      expect(codeOf(`e30.${other}.${SIGNATURE}`)).toBe("token_malformed");
    }
  });

  it.each([
    "",
    "a",
    "a.b",
    "e30.e30",
    "e30.e30.",
    ".e30.AAAA",
    "e30..AAAA",
    "e30.e30.AAAA.",
    "e30.e30.AAAA.AAAA",
    "....",
  ])("J22 not three parts: %j", (token) => {
    expect(codeOf(token)).toBe("token_malformed");
  });

  it.each([
    ["null", "null"],
    ["an array", "[]"],
    ["a text", '"text"'],
    ["a number", "7"],
    ["no JSON", "{"],
    ["bytes that are not UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
    ["a byte order mark", Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)],
    ["UTF-16", Uint8Array.of(0x7b, 0x00, 0x7d, 0x00)],
  ])("J20 J22 refuses %s as header and as payload", (_what, part) => {
    expect(codeOf(jwt(part, {}))).toBe("token_malformed");
    expect(codeOf(jwt(HEADER, part))).toBe("token_malformed");
  });

  it("J18 reads 8,192 characters and not one more", () => {
    const size = 8_192 - jwt(HEADER, { filler: "" }).length;
    const long = (filler: number) => jwt(HEADER, { filler: "x".repeat(filler) });
    const fits = Math.floor((size * 3) / 4);
    const longest = [fits, fits - 1, fits - 2].map(long).find(({ length }) => length <= 8_192) ?? "";
    expect(codeOf(longest)).toBe("read");
    // Exactly the limit: a signature fills it up.
    const toLimit = (limit: number) => {
      for (let filler = fits - 200; filler < fits; filler++) {
        const head = jwt(HEADER, { filler: "x".repeat(filler) }, "");
        const room = limit - head.length;
        if (room > 0 && room % 4 === 0) return head + "A".repeat(room);
      }
      throw new Error("No such length");
    };
    expect([8_192, 8_193].map((limit) => [toLimit(limit).length, codeOf(toLimit(limit))])).toEqual([
      [8_192, "read"],
      [8_193, "token_malformed"],
    ]);
    expect(codeOf(padTo(2_000_000))).toBe("token_malformed");
  });

  it("keeps the reason for whoever reads the log, and tells it nobody", () => {
    const read = () => readCompactJwt(`e30.${encodePart("{")}.AAAA`);
    expect(read).toThrow("The token is not a well-formed JWT of an accepted kind");
    expect(read).toThrow(expect.objectContaining({ code: "token_malformed", cause: expect.any(SyntaxError) }));
  });
});
