import { describe, expect, it } from "vitest";
import { World } from "./world.ts";

describe("what a message may hold", () => {
  it.each([
    ["F13 a NUL", "a\u0000b", "bad_content"],
    ["F13 an escape", "a\u001b[31mb", "bad_content"],
    ["F14 a lone surrogate", "\ud800", "bad_content"],
    ["M06 a pile of marks", `a${"\u0301".repeat(9)}`, "bad_content"],
    ["M06 nothing", "  \n ", "bad_content"],
    ["M06 1001 code points", "😀".repeat(1_001), "content_too_long"],
  ])("refuses %s and keeps the socket", async (_what, content, code) => {
    const world = new World();
    const alice = await world.connect("alice");
    expect(await alice.post(content, "cid-000001")).toMatchObject({
      type: "error",
      code,
      clientMessageId: "cid-000001",
    });
    expect(await alice.post("fine")).toMatchObject({ type: "ack", seq: 1 });
  });

  it("F13 refuses each control character, C0 and C1, but for tab and line breaks", async () => {
    const alice = await new World().connect("alice");
    const all = [...Array.from({ length: 32 }, (_, at) => at), ...Array.from({ length: 33 }, (_, at) => 127 + at)];
    const answers = new Map<string, string>();
    for (const code of all) {
      const answer = await alice.post(`a${String.fromCharCode(code)}b`);
      answers.set(String.fromCharCode(code), answer.type === "ack" ? "taken" : answer.code);
    }
    const taken = ["\t", "\n", "\r"].map((control) => [control, "taken"] as const);
    expect([...answers].filter(([, code]) => code !== "bad_content")).toEqual(taken);
  });

  it.each(["\ud800", "\udfff", "a\udc00b", "\ud83d", "b\ude00", "\ude00\ud83d"])(
    "F14 refuses the lone surrogate in %j",
    async (content) => {
      const alice = await new World().connect("alice");
      expect(await alice.post(content)).toMatchObject({ type: "error", code: "bad_content" });
    },
  );

  it("M06 takes 1000 code points of four bytes", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    expect(await alice.post("😀".repeat(1_000))).toMatchObject({ type: "ack" });
  });

  it.each([
    "undefined",
    "NULL",
    "true",
    "1E+02",
    "-0",
    "0x0",
    "NaN",
    "1/0",
    "٠١٢٣",
    "社會科學院語學研究所",
    "ﷺ",
    "(｡◕ ∀ ◕｡)",
    "👨‍👩‍👧‍👦",
    "🇺🇸🇷🇺",
    "ثم نفس سقطت",
    "⁦test⁧",
    "Ṱ̺̺̕o͞",
    "˙ɐnbᴉlɐ",
    "<script>alert(0)</script>",
    "1;DROP TABLE users",
    "' OR 1=1 -- 1",
    "$HOME",
    "{0}",
    "%s%n",
    "../../../etc/passwd%00",
    "() { 0; }; touch /tmp/x",
    "\\",
    '"',
    "\u2028line\u2029",
    "\ufeffbom",
    "If you're reading this",
  ])("M09 round-trips %j", async (content) => {
    const world = new World();
    const alice = await world.connect("alice");
    expect(await alice.post(content)).toMatchObject({ type: "ack" });
    expect(alice.last("message").content).toBe(content.trim());
    await world.advance(2_000);
    expect(await world.history()).toEqual([{ seq: 1, content: content.trim() }]);
  });

  it("M05 O01 logs nothing that a user wrote, and one line an event", async () => {
    const world = new World({ settings: { RATE_LIMIT_MAX_MESSAGES: 1 } });
    const alice = await world.connect("alice", { name: 'Al\r\nice {"level":"error"}' });
    await alice.post('canary\r\n{"level":"error"}');
    await alice.post("canary two");
    await alice.send("{nonsense canary");
    await alice.leave();
    await world.advance(10_000);
    expect(world.logged.length).toBeGreaterThan(2);
    expect(world.logged.filter((line) => /canary|Al\\r|[\r\n]|eyJ/.test(line))).toEqual([]);
  });
});
