import { describe, expect, it } from "vitest";
import { Roster, ROSTER_SAMPLE } from "../../../domain/room/roster.ts";
import { user } from "../../support/room-events.ts";

const [alice, bob] = [user("alice"), user("bob")];
const T = 1_000_000;
const online = (userId: string, at: number, username = userId) => ({
  userId,
  username,
  status: "online",
  lastSeenAt: at,
});
const offline = (userId: string, at: number, username = userId) => ({
  userId,
  username,
  status: "offline",
  lastSeenAt: at,
});

/** A room in which alice was told to be long ago. */
function withAlice(): Roster {
  const roster = new Roster();
  roster.enter(alice, "alice");
  roster.takeChanges(T - 60_000);
  return roster;
}

describe("who comes and goes", () => {
  it("is told once each", () => {
    const roster = new Roster();
    roster.enter(alice, "Alice");
    expect([roster.hasNews(), roster.isAnnounced(alice)]).toEqual([true, false]);
    expect(roster.takeChanges(T)).toEqual([online("alice", T, "Alice")]);
    expect([roster.takeChanges(T), roster.hasNews(), roster.isAnnounced(alice)]).toEqual([[], false, true]);
    expect(roster.leave(alice, T + 2_000)).toBe(true);
    expect([roster.isOnline(alice), roster.size, roster.nextGoneAt()]).toEqual([false, 1, T + 7_000]);
    expect(roster.takeChanges(T + 6_999)).toEqual([]);
    expect(roster.takeChanges(T + 7_000)).toEqual([offline("alice", T + 2_000, "Alice")]);
    expect([roster.size, roster.nextGoneAt(), roster.nameOf(alice), roster.isAnnounced(alice)]).toEqual([
      0,
      undefined,
      undefined,
      false,
    ]);
  });

  it("X05 counts a user's sockets together", () => {
    const roster = withAlice();
    roster.enter(alice, "Alice on her phone");
    expect([roster.size, roster.takeChanges(T), roster.nameOf(alice)]).toEqual([1, [], "Alice on her phone"]);
    expect([roster.leave(alice, T), roster.isOnline(alice), roster.nextGoneAt()]).toEqual([false, true, undefined]);
    expect([roster.leave(alice, T), roster.isOnline(alice)]).toEqual([true, false]);
    expect(roster.leave(bob, T)).toBe(false);
  });

  it("X05 a leave too many is none", () => {
    const roster = withAlice();
    expect([roster.leave(alice, T), roster.leave(alice, T + 100)]).toEqual([true, true]);
    roster.enter(alice, "alice");
    expect([roster.leave(alice, T + 200), roster.isOnline(alice)]).toEqual([true, false]);
  });

  it("X02 is not told of who comes back within the grace", () => {
    const roster = withAlice();
    roster.leave(alice, T);
    roster.enter(alice, "alice");
    expect([roster.hasNews(), roster.nextGoneAt(), roster.takeChanges(T + 60_000)]).toEqual([false, undefined, []]);
  });

  it("X02 is not told of who came and went in between, unless somebody was given their name", () => {
    const roster = withAlice();
    roster.enter(bob, "bob");
    expect([roster.leave(bob, T), roster.size, roster.hasNews(), roster.takeChanges(T)]).toEqual([false, 1, false, []]);
    roster.enter(bob, "bob");
    roster.listFor(alice);
    expect([roster.leave(bob, T), roster.takeChanges(T + 4_999)]).toEqual([true, []]);
    expect(roster.takeChanges(T + 5_000)).toEqual([offline("bob", T)]);
  });

  it("being in one's own list tells nobody", () => {
    const roster = withAlice();
    roster.enter(bob, "bob");
    roster.listFor(bob);
    expect([roster.leave(bob, T), roster.size]).toEqual([false, 1]);
  });

  it("who leaves on purpose has no grace", () => {
    const roster = withAlice();
    roster.leave(alice, T, 0);
    expect([roster.nextGoneAt(), roster.takeChanges(T)]).toEqual([T, [offline("alice", T)]]);
  });

  it("X02 tells of one person once a second at most, and the newest in the end", () => {
    const roster = withAlice();
    roster.enter(bob, "bob");
    expect(roster.takeChanges(T)).toEqual([online("bob", T)]);
    roster.leave(bob, T + 100, 0);
    expect([roster.nextGoneAt(), roster.takeChanges(T + 999)]).toEqual([T + 1_000, []]);
    expect(roster.takeChanges(T + 1_000)).toEqual([offline("bob", T + 100)]);
    roster.enter(bob, "bob");
    expect([roster.takeChanges(T + 1_999), roster.hasNews()]).toEqual([[], true]);
    expect(roster.takeChanges(T + 2_000)).toEqual([online("bob", T + 2_000)]);
  });

  it("X02 does not tell twice of one person in one moment", () => {
    const roster = new Roster();
    expect(roster.isOnline(bob)).toBe(false);
    roster.enter(bob, "bob");
    roster.takeChanges(T);
    roster.leave(bob, T, 0);
    expect([roster.takeChanges(T), roster.takeChanges(T + 1_000)]).toEqual([[], [offline("bob", T)]]);
  });

  it("D16 waits for nobody when the clock has gone back", () => {
    const roster = new Roster();
    roster.enter(alice, "alice");
    roster.takeChanges(T);
    roster.leave(alice, T - 50_000, 0);
    expect(roster.takeChanges(T - 50_000)).toEqual([offline("alice", T - 50_000)]);
  });

  it("does not hold one person's second against another", () => {
    const roster = new Roster();
    roster.enter(alice, "alice");
    roster.takeChanges(T);
    roster.enter(bob, "bob");
    expect(roster.takeChanges(T + 500)).toEqual([online("bob", T + 500)]);
    roster.leave(alice, T + 600, 0);
    roster.leave(bob, T + 600, 0);
    expect(roster.takeChanges(T + 1_200)).toEqual([offline("alice", T + 600)]);
    expect([roster.nextGoneAt(), roster.takeChanges(T + 1_500)]).toEqual([T + 1_500, [offline("bob", T + 600)]]);
  });

  it("names the earliest of those who will be gone", () => {
    const roster = withAlice();
    roster.enter(bob, "bob", true);
    roster.leave(bob, T);
    roster.leave(alice, T + 1);
    expect(roster.nextGoneAt()).toBe(T + 5_000);
  });
});

describe("a room that wakes", () => {
  it("X04 tells nothing of who was known to be there", () => {
    const roster = new Roster();
    roster.enter(alice, "alice", true);
    roster.enter(alice, "alice");
    expect([roster.hasNews(), roster.isAnnounced(alice), roster.takeChanges(T)]).toEqual([false, true, []]);
  });

  it("X04 tells nothing of who is known by any of their sockets", () => {
    const roster = new Roster();
    roster.enter(alice, "alice");
    roster.enter(alice, "alice", true);
    expect([roster.takeChanges(T), roster.isAnnounced(alice)]).toEqual([[], true]);
  });

  it("X04 goes on with the grace of who had left, unless they are back", () => {
    const roster = withAlice();
    roster.restoreAway(alice, "nobody", T);
    roster.restoreAway(bob, "Bob", T - 2_000);
    expect([roster.isOnline(alice), roster.isOnline(bob), roster.nameOf(alice)]).toEqual([true, false, "alice"]);
    expect([roster.isAnnounced(bob), [...roster.userIds()]]).toEqual([true, ["alice"]]);
    expect(roster.nextGoneAt()).toBe(T + 3_000);
    expect(roster.takeChanges(T + 3_000)).toEqual([offline("bob", T - 2_000, "Bob")]);
  });

  it("X04 who comes back then is not told of", () => {
    const roster = new Roster();
    roster.restoreAway(bob, "Bob", T);
    roster.enter(bob, "Bob");
    expect([roster.takeChanges(T + 9_000), roster.isOnline(bob)]).toEqual([[], true]);
  });
});

describe("X06 the list of who is there", () => {
  const crowd = (count: number): Roster => {
    const roster = new Roster();
    for (let at = 0; at < count; at++) roster.enter(user(`user-${at}`), `User ${at}`);
    return roster;
  };

  it("has everybody up to 200 people, and a sample above", () => {
    expect([crowd(200).isCrowded(), crowd(200).members().length]).toEqual([false, 200]);
    expect([crowd(201).isCrowded(), crowd(201).members().length]).toEqual([true, ROSTER_SAMPLE]);
    expect(crowd(201).members(3)).toEqual(
      [0, 1, 2].map((at) => ({ userId: `user-${at}`, username: `User ${at}`, status: "online" })),
    );
    expect(crowd(2).members(0)).toEqual([]);
  });

  it("marks those it names for everybody but themselves", () => {
    const roster = crowd(3);
    expect(roster.listFor(user("user-1")).map(({ userId }) => userId)).toEqual(["user-0", "user-1", "user-2"]);
    expect([0, 1, 2].map((at) => roster.leave(user(`user-${at}`), T))).toEqual([true, false, true]);
  });
});
