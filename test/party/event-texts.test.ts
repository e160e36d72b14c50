import { describe, expect, it, vi } from "vitest";
import { EventTexts } from "../../party/event-texts.ts";
import { ChannelId, UserId } from "../../protocol/ids.ts";
import { eventAt } from "../support/room-events.ts";

const LOBBY = ChannelId.parse("lobby");

describe("the texts of events", () => {
  it("are written out once, and anew when too much has come since", () => {
    const texts = new EventTexts();
    const write = vi.spyOn(JSON, "stringify");
    const read = (seq: number) => texts.textFor(UserId.parse("bob"), eventAt(seq, { content: "x".repeat(900) }), LOBBY);
    const written = (seq: number) => {
      write.mockClear();
      expect(JSON.parse(read(seq))).toMatchObject({ type: "message", seq });
      return write.mock.calls.length;
    };
    expect([written(1), written(1)]).toEqual([1, 0]);
    for (let seq = 2; seq <= 600; seq++) read(seq); // more than half a megabyte
    expect([written(600), written(1)]).toEqual([0, 1]);
    write.mockRestore();
  });
});
