import type * as Party from "partykit/server";
import { createPostgresStore } from "../db/postgres-store.ts";
import { readConfig } from "../domain/config.ts";
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
    // Where the settings are not safe no door lets anybody come this far.
    const { DATABASE_URL: databaseUrl = "", NEON_FETCH_ENDPOINT: fetchEndpoint } = readConfig(room.env).settings ?? {};
    const store = createPostgresStore({ databaseUrl, ...(fetchEndpoint !== undefined && { fetchEndpoint }) });
    this.#person = new Person(room, { store, now: Date.now, newId: () => crypto.randomUUID(), log });
  }

  onRequest(request: PersonRequest): Promise<Response> {
    return this.#person.request(request);
  }

  async onAlarm(): Promise<void> {
    await this.#person.alarm();
  }
}
