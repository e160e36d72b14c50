import { describe, expect, it } from "vitest";
import { pipe } from "../../party/pipe.ts";
import { FakeSocket } from "./fake-sockets.ts";

const piped = (early: { messages: unknown[]; closed: boolean } = { messages: [], closed: false }) => {
  const [client, room] = [new FakeSocket(), new FakeSocket()];
  pipe(client, room, early);
  return { client, room };
};

describe("a client's socket joined to a room's", () => {
  it("says on each side what was heard on the other, beginning with what came early", () => {
    const { client, room } = piped({ messages: ["one", "two"], closed: false });
    client.hear("three");
    room.hear("welcome");
    expect(room).toMatchObject({ accepted: true, sent: ["one", "two", "three"] });
    expect(client.sent).toEqual(["welcome"]);
  });

  it("hands a close on with its code and reason, both ways, and answers it", () => {
    const closing = { code: 4503, reason: "forbidden" };
    const ended = piped();
    ended.room.hangUp("forbidden", "forbidden");
    expect([ended.client.closed, ended.room.closed]).toEqual([closing, closing]);
    const left = piped();
    left.client.hangUp(1001, "leaving");
    expect(left.room.closed).toEqual({ code: 1001, reason: "leaving" });
  });

  it("closes the other side with 1000 where a code may not be sent", () => {
    for (const code of [1005, 1006, 1015]) {
      const { client, room } = piped();
      client.hangUp(code);
      expect(room.closed).toMatchObject({ code: 1000 });
    }
  });

  it("closes the other side when one breaks, or had gone before", () => {
    const broken = piped();
    broken.client.break();
    expect(broken.room.closed).toMatchObject({ code: 1011 });
    expect(piped({ messages: ["late"], closed: true }).room.closed).toBeDefined();
  });

  it("says nothing to a side that has closed", () => {
    const { client, room } = piped();
    room.hangUp(1000);
    expect(() => client.hear("late")).not.toThrow();
    expect(room.sent).toEqual([]);
  });
});
