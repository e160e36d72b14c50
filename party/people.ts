import type * as Party from "partykit/server";
import { createPostgresStore } from "../db/postgres-store.ts";
import { readConfig } from "../domain/config.ts";
import { UNSAFE_RETRY_MS } from "./deps.ts";
import { createRoomLogger } from "./log.ts";
import { onBeforeConnect, onBeforeRequest } from "./people-edge.ts";
import { Person, type PersonRequest } from "./person.ts";

/** The party with one object for each person. Its door takes nothing but orders of our Worker. */
export default class People implements Party.Server {
  static onBeforeConnect = onBeforeConnect;
  static onBeforeRequest = onBeforeRequest;

  readonly #storage: Pick<Party.Storage, "setAlarm">;
  /** Undefined when the settings are not safe: no door lets anybody come this far then, but an alarm may ring. */
  readonly #person: Person | undefined;

  constructor(room: Party.Room) {
    this.#storage = room.storage;
    // oxlint-disable-next-line no-console -- what is written here is what the platform keeps as the rooms' log
    const log = createRoomLogger(false, (line) => console.log(line));
    const { settings } = readConfig(room.env);
    if (settings === undefined) return;
    const { DATABASE_URL: databaseUrl = "", NEON_FETCH_ENDPOINT: fetchEndpoint } = settings;
    const store = createPostgresStore({ databaseUrl, ...(fetchEndpoint !== undefined && { fetchEndpoint }) });
    this.#person = new Person(room, { store, now: Date.now, newId: () => crypto.randomUUID(), log });
  }

  async onRequest(request: PersonRequest): Promise<Response> {
    if (this.#person === undefined) return Response.json({ code: "config_invalid" }, { status: 503 });
    return this.#person.request(request);
  }

  async onAlarm(): Promise<void> {
    if (this.#person === undefined) await this.#storage.setAlarm(Date.now() + UNSAFE_RETRY_MS);
    else await this.#person.alarm();
  }
}
