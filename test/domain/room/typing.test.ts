import { describe, expect, it } from "vitest";
import { Typing, TYPERS_MAX } from "../../../domain/room/typing.ts";
import { user } from "../../support/room-events.ts";

const [alice, bob] = [user("alice"), user("bob")];
const T = 100_000;
const on = { userId: alice, isTyping: true };
const off = { userId: alice, isTyping: false };

describe("X07 who is typing", () => {
  it("is told once, and again when it ends", () => {
    const typing = new Typing();
    expect([typing.takeNews(T), typing.nextAt(T), typing.until(alice)]).toEqual([[], undefined, 0]);
    typing.start(alice, T);
    expect([typing.until(alice), typing.takeNews(T), typing.takeNews(T + 10)]).toEqual([T + 6_000, [on], []]);
    expect(typing.nextAt(T)).toBe(T + 6_000);
    expect([typing.takeNews(T + 5_999), typing.takeNews(T + 6_000)]).toEqual([[], [off]]);
  });

  it("ends by itself after 6 s from the last sign", () => {
    const typing = new Typing();
    typing.start(alice, T);
    typing.takeNews(T);
    typing.start(alice, T + 3_000);
    expect(typing.takeNews(T + 3_000)).toEqual([on]);
    expect([typing.takeNews(T + 8_999), typing.takeNews(T + 9_000)]).toEqual([[], [off]]);
  });

  it("is told at most once a second, and the newest state in the end", () => {
    const typing = new Typing();
    typing.start(alice, T);
    typing.takeNews(T);
    typing.stop(alice);
    expect([typing.until(alice), typing.takeNews(T + 500), typing.nextAt(T + 500)]).toEqual([0, [], T + 1_000]);
    typing.start(alice, T + 600);
    typing.stop(alice);
    expect([typing.takeNews(T + 999), typing.takeNews(T + 1_000)]).toEqual([[], [off]]);
    typing.start(alice, T + 1_100);
    expect([typing.takeNews(T + 1_100), typing.nextAt(T + 1_100), typing.takeNews(T + 2_000)]).toEqual([
      [],
      T + 2_000,
      [on],
    ]);
  });

  it("tells nothing of who stopped before it was told", () => {
    const typing = new Typing();
    typing.start(alice, T);
    typing.stop(alice);
    expect([typing.takeNews(T), typing.nextAt(T)]).toEqual([[], undefined]);
  });

  it("tells again of who goes on, but not more than once for one sign", () => {
    const typing = new Typing();
    typing.start(alice, T);
    typing.takeNews(T);
    typing.start(alice, T + 100);
    expect(typing.nextAt(T + 100)).toBe(T + 1_000);
    expect([typing.takeNews(T + 1_000), typing.takeNews(T + 3_000)]).toEqual([[on], []]);
    typing.stop(alice);
    typing.start(alice, T + 3_100);
    typing.stop(alice);
    expect(typing.takeNews(T + 3_100)).toEqual([off]);
  });

  it("forgets who has stopped, a second after it was told", () => {
    const typing = new Typing();
    typing.start(alice, T);
    typing.takeNews(T);
    typing.stop(alice);
    typing.takeNews(T + 1_000);
    expect(typing.nextAt(T + 1_000)).toBe(T + 2_000);
    expect([typing.takeNews(T + 1_999), typing.nextAt(T + 1_999)]).toEqual([[], T + 2_000]);
    expect([typing.takeNews(T + 2_000), typing.nextAt(T + 2_000)]).toEqual([[], undefined]);
  });

  it("is not told to end sooner than a second after it was told to begin", () => {
    const typing = new Typing();
    typing.start(alice, T);
    expect(typing.takeNews(T + 5_500)).toEqual([on]);
    expect([typing.nextAt(T + 6_000), typing.takeNews(T + 6_000)]).toEqual([T + 6_500, []]);
    expect(typing.takeNews(T + 6_500)).toEqual([off]);
  });

  it("has room for twenty, and for those it has already", () => {
    const typing = new Typing();
    const users = Array.from({ length: TYPERS_MAX }, (_, at) => user(`user-${at}`));
    for (const one of users) typing.start(one, T);
    typing.start(alice, T);
    expect([typing.until(alice), typing.takeNews(T).length]).toEqual([0, 20]);
    typing.start(users[0] ?? alice, T + 1_000);
    expect(typing.until(users[0] ?? alice)).toBe(T + 7_000);
  });

  it("knows after a sleep who was told to be typing, and tells when that ends", () => {
    const typing = new Typing();
    typing.restore(alice, T + 2_000);
    typing.restore(alice, T + 1_000);
    typing.restore(bob, T + 500);
    expect([typing.until(alice), typing.until(bob), typing.nextAt(T)]).toEqual([T + 2_000, T + 500, T + 500]);
    expect(typing.takeNews(T)).toEqual([]);
    expect(typing.takeNews(T + 500)).toEqual([{ userId: bob, isTyping: false }]);
    expect(typing.takeNews(T + 2_000)).toEqual([off]);
  });

  it("knows whom the others may believe to be typing: for a second longer than it is so", () => {
    const typing = new Typing();
    typing.start(alice, T);
    expect(typing.told(T)).toEqual([off]);
    typing.takeNews(T);
    expect(typing.told(T)).toEqual([on]);
    expect([typing.told(T + 5_999), typing.told(T + 6_000)]).toEqual([[on], [off]]);
    typing.takeNews(T + 6_000);
    expect([typing.told(T + 6_000), typing.told(T + 6_999)]).toEqual([[off], [off]]);
    typing.takeNews(T + 7_000);
    expect(typing.told(T + 7_000)).toEqual([]);
  });

  it("does nothing for who stops without having begun", () => {
    const typing = new Typing();
    typing.stop(alice);
    expect([typing.takeNews(T), typing.nextAt(T), typing.until(alice)]).toEqual([[], undefined, 0]);
  });
});
