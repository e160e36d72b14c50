import { expect, it } from "vitest";
import { MessageLimit } from "../../../domain/room/message-limit.ts";
import { user } from "../../support/room-events.ts";

const [alice, bob] = [user("alice"), user("bob")];
const limitOf = (max: number, windowMs = 1_000) => new MessageLimit({ max, windowMs });

it("F17 counts each user alone, in a window that slides", () => {
  const limit = limitOf(2);
  expect(limit.waitMs(alice, 0)).toBeUndefined();
  limit.note(alice, 100);
  limit.note(alice, 400);
  expect([limit.waitMs(alice, 500), limit.waitMs(bob, 500)]).toEqual([600, undefined]);
  expect([limit.waitMs(alice, 1_099), limit.waitMs(alice, 1_100)]).toEqual([1, undefined]);
  limit.note(alice, 1_100);
  expect(limit.waitMs(alice, 1_150)).toBe(250);
});

it("counts the same however many have left the window", () => {
  const limit = limitOf(3, 100);
  for (let at = 0; at < 1_000; at += 10) {
    const waitMs = limit.waitMs(alice, at);
    const isThird = at % 100 >= 30;
    expect([at, waitMs]).toEqual([at, isThird ? 100 - (at % 100) : undefined]);
    if (waitMs === undefined) limit.note(alice, at - (at % 100));
  }
});

it("tells when the first of the newest ones leaves the window, when there are more than may be", () => {
  const limit = limitOf(2);
  for (const at of [100, 200, 300]) limit.note(alice, at);
  expect(limit.waitMs(alice, 400)).toBe(800);
});

it("D16 never waits longer than a window or less than a moment, whatever the clock does", () => {
  const limit = limitOf(1);
  limit.note(alice, 5_000);
  expect(limit.waitMs(alice, 0)).toBe(1_000);
  expect(limit.waitMs(alice, 5_999.5)).toBe(1);
});

it("F16 counts refusals in the same window, this one included", () => {
  const limit = limitOf(1);
  expect([limit.refuse(alice, 0), limit.refuse(alice, 500), limit.refuse(bob, 500)]).toEqual([1, 2, 1]);
  expect([limit.refuse(alice, 1_000), limit.refuse(alice, 1_600)]).toEqual([2, 2]);
  expect(limit.waitMs(alice, 500)).toBeUndefined();
});

it("D08 forgets who has not written for a window, and nobody else", () => {
  const limit = limitOf(1);
  limit.note(alice, 0);
  limit.note(bob, 900);
  limit.refuse(alice, 900);
  limit.forget(1_500);
  // A clock that went back shows what is left: alice's message is forgotten, bob's and her refusal are not.
  expect([limit.waitMs(alice, 500), limit.waitMs(bob, 1_500)]).toEqual([undefined, 400]);
  expect(limit.refuse(alice, 1_500)).toBe(2);
});
