import type * as Party from "partykit/server";
import { createRoomLogger } from "./log.ts";
import { onBeforeConnect, onBeforeRequest } from "./people-edge.ts";
import { Person, type PersonRequest } from "./person.ts";

/** The party with one object for each person. Its door takes nothing but orders of our Worker. */
export default class People implements Party.Server {
  static onBeforeConnect = onBeforeConnect;
  static onBeforeRequest = onBeforeRequest;

  readonly #person: Person;

  constructor(room: Party.Room) {
    // oxlint-disable-next-line no-console -- what is written here is what the platform keeps as the rooms' log
    const log = createRoomLogger(false, (line) => console.log(line));
    this.#person = new Person(room, Date.now, log);
  }

  onRequest(request: PersonRequest): Promise<Response> {
    return this.#person.request(request);
  }

  async onAlarm(): Promise<void> {
    await this.#person.alarm();
  }
}
