import { describe, expect, it } from "vitest";
import { nativeCodec } from "../../functions/gateway/codec.ts";
import { parseRoomFrame, readRoomFrames } from "../../functions/gateway/room-frame.ts";

const message = {
  messageId: "id-1",
  roomId: "lobby",
  userId: "bob",
  username: "Bob",
  content: "hi",
  timestamp: "2026-11-21T08:00:00.000Z",
  seq: 7,
};
const text = (frame: object): string => JSON.stringify(frame);

describe("readRoomFrames", () => {
  it("finds type and position without parsing, wherever the position stands", () => {
    const late = text({ type: "message", ...message });
    const early = text({ type: "message", roomId: "lobby", seq: 7, content: "hi" });
    expect(readRoomFrames(late)).toEqual([{ type: "message", seq: 7, text: late }]);
    expect(readRoomFrames(early)).toEqual([{ type: "message", seq: 7, text: early }]);
  });

  it("is not deceived by what people write", () => {
    const content = 'x","seq":99,"y":"\\","seq":98}';
    expect(readRoomFrames(text({ type: "message", ...message, content }))).toMatchObject([{ seq: 7 }]);
    expect(readRoomFrames(text({ type: "message", ...message, username: ',"seq":5,' }))).toMatchObject([{ seq: 7 }]);
  });

  it("splits what a room gathered, and keeps its order", () => {
    const lines = [text({ type: "message", ...message }), text({ type: "presence", roomId: "lobby" })];
    expect(readRoomFrames(lines.join("\n")).map(({ type, text }) => [type, text])).toEqual([
      ["message", lines[0]],
      ["presence", lines[1]],
    ]);
  });

  it("reads frames written another way, and leaves out what is not a frame", () => {
    expect(readRoomFrames('{ "seq": 3, "type": "message" }')).toMatchObject([{ type: "message", seq: 3 }]);
    for (const junk of ["", "null", "[]", "{}", '{"type":7}', "{broken"]) expect(readRoomFrames(junk)).toEqual([]);
  });

  it("parses in full what is asked for, and nothing that does not fit", () => {
    const [frame] = readRoomFrames(text({ type: "heads", rooms: { lobby: 4 } }));
    expect(frame && parseRoomFrame(frame)).toEqual({ type: "heads", rooms: { lobby: 4 } });
    expect(parseRoomFrame({ type: "heads", seq: undefined, text: '{"type":"heads"}' })).toBeUndefined();
  });
});

describe("the native codec", () => {
  const frames = readRoomFrames([text({ type: "message", ...message }), text({ type: "pong" })].join("\n"));

  it("hands several frames on as one message to a client of lines, and one by one to others", () => {
    expect(nativeCodec("chat.v1.lines").relay(frames)).toEqual([frames.map((frame) => frame.text).join("\n")]);
    expect(nativeCodec("chat.v1").relay(frames)).toEqual(frames.map((frame) => frame.text));
    expect(nativeCodec(undefined).relay(frames)).toHaveLength(2);
    expect(nativeCodec("chat.v1.lines").relay([])).toEqual([]);
  });

  it("takes one frame per line from a client of lines only", () => {
    const two = '{"type":"ping"}\n\n{"type":"ping"}\n';
    expect(nativeCodec("chat.v1.lines").split(two)).toEqual(['{"type":"ping"}', '{"type":"ping"}']);
    expect(nativeCodec("chat.v1").split(two)).toEqual([two]);
    expect(nativeCodec(undefined).decode(two).parsed).toMatchObject({ ok: false, code: "bad_frame" });
  });

  it("takes an empty message for a frame that cannot be read", () => {
    for (const protocol of ["chat.v1", "chat.v1.lines"] as const) expect(nativeCodec(protocol).split("")).toEqual([""]);
  });

  it("writes a frame of several lines as one, so that a room does not take it for several", () => {
    const { parsed, text } = nativeCodec(undefined).decode('{\n "type": "ping"\n}');
    expect(parsed).toEqual({ ok: true, frame: { type: "ping" } });
    expect(text).toBe('{  "type": "ping" }');
  });
});
