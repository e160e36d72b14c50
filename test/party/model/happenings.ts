import fc from "fast-check";
import { settle } from "../world.ts";
import { type People, USERS } from "./people.ts";
import type { Mood } from "./unreliable-store.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** One thing that can happen to a room, and how it is written when a run is reported. */
class Happening implements fc.AsyncCommand<object, People> {
  readonly #name: string;
  readonly #happen: (people: People) => Promise<void> | void;

  constructor(name: string, happen: (people: People) => Promise<void> | void) {
    this.#name = name;
    this.#happen = happen;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, people: People): Promise<void> {
    people.truth.historyAnswers = people.postgres.mood !== "down" && people.postgres.mood !== "hanging";
    await this.#happen(people);
    people.look();
  }

  toString(): string {
    return this.#name;
  }
}

const user = fc.constantFrom(...USERS);
const place = fc.nat({ max: 5 });
const clientMessageId = fc.constantFrom("client-id-1", "client-id-2", "client-id-3", "client-id-4");
const content = fc.constantFrom("one", "two", "poison");

/** Any of those who are here; nobody if nobody is. */
function at(people: People, index: number) {
  return people.places[index % Math.max(1, people.places.length)];
}

const connect = fc
  .tuple(user, fc.option(fc.nat({ max: 1_000 }), { nil: undefined }))
  .map(
    ([name, back]) =>
      new Happening(`${name} comes${back === undefined ? "" : ` and resumes, ${back} back`}`, (people) =>
        people.connect(name, back === undefined ? undefined : Math.max(0, people.truth.head - back)),
      ),
  );
const send = fc.tuple(place, clientMessageId, content).map(
  ([index, id, text]) =>
    new Happening(`${index} sends "${text}" as ${id}`, async (people) => {
      const sender = at(people, index);
      if (sender !== undefined) await people.send(sender, id, text);
    }),
);
const sendTwice = fc.tuple(place, clientMessageId, content).map(
  ([index, id, text]) =>
    new Happening(`${index} sends "${text}" as ${id}, twice`, async (people) => {
      const sender = at(people, index);
      if (sender === undefined) return;
      await Promise.all([people.send(sender, id, text), people.send(sender, id, text)]);
    }),
);
const fill = place.map(
  (index) =>
    new Happening(`${index} fills the log`, async (people) => {
      const sender = at(people, index);
      if (sender !== undefined) await people.fill(sender, 800);
    }),
);
/** Everything said so far leaves the log. */
const age = place.map(
  (index) =>
    new Happening(`${index} fills the log, and it grows old`, async (people) => {
      const sender = at(people, index);
      if (sender === undefined) return;
      people.world.platform.storage.release();
      people.postgres.turn("up");
      await people.fill(sender, 800);
      await people.world.advance(3_000);
      people.world.jump(4 * DAY);
      await people.world.sleep();
      await people.fill(sender, 1);
    }),
);
const leave = fc.tuple(place, fc.constantFrom(1000, 1006)).map(
  ([index, code]) =>
    new Happening(`${index} goes with ${code}`, async (people) => {
      const goer = at(people, index);
      if (goer === undefined) return;
      people.look();
      await goer.client.leave(code);
    }),
);
const mood = fc
  .constantFrom<Mood>("up", "up", "down", "answer lost", "hanging", "picky")
  .map((turned) => new Happening(`Postgres is ${turned}`, (people) => people.postgres.turn(turned)));
const pass = fc
  .constantFrom(10, 500, 3_000, 31_000, 62_000)
  .map((ms) => new Happening(`${ms} ms pass`, (people) => people.world.advance(ms)));
const jump = fc
  .constantFrom(-DAY, -HOUR, HOUR, DAY, 4 * DAY)
  .map((ms) => new Happening(`the clock jumps by ${ms} ms`, (people) => people.world.jump(ms)));
const sleep = fc.constant(new Happening("the room sleeps", (people) => people.world.sleep()));
const hold = fc.constant(new Happening("the disk is slow", (people) => people.world.platform.storage.hold()));
const release = fc.constant(new Happening("the disk has written", (people) => people.world.platform.storage.release()));
const crash = fc.nat({ max: 4 }).map(
  (lasting) =>
    new Happening(`the process dies, and ${lasting} more writes last`, (people) => {
      people.look();
      people.world.crash(lasting);
    }),
);
const ringTwice = fc.constant(
  new Happening("the alarm rings twice", async ({ world }) => {
    await Promise.all([world.room.alarm(), world.room.alarm()]);
    await settle();
  }),
);
const loseAlarm = fc.constant(
  new Happening("the alarm is lost", ({ world }) => {
    world.platform.storage.alarmAt = null;
  }),
);

/** Weighted, so that most of what happens is talk. */
export const HAPPENINGS: fc.Arbitrary<fc.AsyncCommand<object, People>>[] = [
  ...Array.from({ length: 8 }, () => send),
  ...Array.from({ length: 3 }, () => connect),
  ...Array.from({ length: 3 }, () => pass),
  ...Array.from({ length: 2 }, () => mood),
  ...Array.from({ length: 2 }, () => sleep),
  ...Array.from({ length: 2 }, () => crash),
  sendTwice,
  leave,
  jump,
  hold,
  release,
  ringTwice,
  loseAlarm,
  fill,
  age,
];
