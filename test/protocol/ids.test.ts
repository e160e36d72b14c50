import fc from "fast-check";
import { describe, expect, it } from "vitest";

// Loaded here, so that what goes wrong while the file is loaded fails tests, too, and not only their file.
const load = () => import("../../protocol/ids.ts");

const KINDS = [
  { kind: "AppId", first: "a-z0-9", rest: "a-z0-9-", min: 1, max: 32 },
  { kind: "ChannelId", first: "A-Za-z0-9_-", rest: "A-Za-z0-9_-", min: 1, max: 64 },
  { kind: "UserId", first: "A-Za-z0-9_.@|-", rest: "A-Za-z0-9_.@|-", min: 1, max: 128 },
  { kind: "ClientMessageId", first: "A-Za-z0-9_-", rest: "A-Za-z0-9_-", min: 8, max: 64 },
] as const;
const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

describe.each(KINDS)("$kind", ({ kind, first, rest, min, max }) => {
  const firsts = ASCII.filter((letter) => new RegExp(`[${first}]`).test(letter));
  const rests = ASCII.filter((letter) => new RegExp(`[${rest}]`).test(letter));
  const good = fc
    .tuple(fc.constantFrom(...firsts), fc.array(fc.constantFrom(...rests), { minLength: min - 1, maxLength: max - 1 }))
    .map(([head, tail]) => head + tail.join(""));
  const accepts = async (text: unknown) => (await load())[kind].safeParse(text).success;

  it("takes every id of its alphabet and length as it stands", async () => {
    const { [kind]: schema } = await load();
    fc.assert(fc.property(good, (id) => schema.parse(id) === id));
  });

  it("takes the shortest and the longest, and nothing beyond", async () => {
    const lengths = [min - 1, min, max, max + 1].map((length) => "a".repeat(length));
    expect(await Promise.all(lengths.map(accepts))).toEqual([false, true, true, false]);
  });

  it("refuses every other letter anywhere in it", async () => {
    const { [kind]: schema } = await load();
    const foreign = fc.oneof(
      fc.constantFrom(...ASCII.filter((letter) => !rests.includes(letter))),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }).filter((letter) => !ASCII.includes(letter)),
    );
    fc.assert(
      fc.property(good, foreign, fc.nat(), (id, letter, place) => {
        const at = place % (id.length + 1);
        // Of a length that would be right, so that only the letter can be what is wrong.
        const spoilt = (id.slice(0, at) + letter + id.slice(at)).slice(-max).padEnd(min, "a");
        return !schema.safeParse(spoilt).success;
      }),
      { numRuns: 500 },
    );
  });

  it("says what an id looks like to whoever sends none", async () => {
    const { [kind]: schema } = await load();
    expect(schema.safeParse("").error?.issues[0]?.message).toBe(`must match [${rest}], ${min} to ${max} characters`);
  });

  it.each([undefined, null, 1, {}, ["lobby"], true])("refuses %j", async (value) => {
    expect(await accepts(value)).toBe(false);
  });
});

describe("ids in particular", () => {
  it("an app's id begins with a letter or digit", async () => {
    const { AppId } = await load();
    expect(["-a", "a-", "0", "a_b", "A"].map((id) => AppId.safeParse(id).success)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  it("A03 reserves what collides with objects, routes or trust", async () => {
    const { RESERVED_CHANNEL_IDS } = await load();
    expect([...RESERVED_CHANNEL_IDS]).toEqual(["__proto__", "constructor", "main", "admin", "system"]);
  });

  it("the lobby is a channel, and reserved for nobody", async () => {
    const { LOBBY, isChannelId, RESERVED_CHANNEL_IDS } = await load();
    expect(LOBBY).toBe("lobby");
    expect([isChannelId(LOBBY), isChannelId("no room"), isChannelId(7)]).toEqual([true, false, false]);
    expect(RESERVED_CHANNEL_IDS.has(LOBBY)).toBe(false);
  });

  it("T03 two apps never share a room's name", async () => {
    const { AppId, ChannelId, roomKey } = await load();
    expect(roomKey(AppId.parse("demo"), ChannelId.parse("lobby"))).toBe("demo:lobby");
    const pair = fc.tuple(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,3}$/), fc.stringMatching(/^[A-Za-z0-9_-]{1,4}$/));
    fc.assert(
      fc.property(pair, pair, ([app, channel], [otherApp, otherChannel]) => {
        const one = roomKey(AppId.parse(app), ChannelId.parse(channel));
        const other = roomKey(AppId.parse(otherApp), ChannelId.parse(otherChannel));
        return (one === other) === (app === otherApp && channel === otherChannel);
      }),
    );
  });
});
