import type * as Party from "partykit/server";
import english from "../db/moderation/english.json" with { type: "json" };
import { createPostgresStore } from "../db/postgres-store.ts";
import { createPresenceBoard } from "../db/presence-board.ts";
import { createRedis } from "../db/upstash.ts";
import type { Settings } from "../domain/config.ts";
import { createVocabulary, type Vocabulary } from "../domain/moderation/vocabulary.ts";
import { CLOSES } from "../protocol/errors.ts";
import { type Connect, createRoomDeps, UNSAFE_RETRY_MS } from "./deps.ts";
import { onBeforeConnect, onBeforeRequest, onFetch } from "./edge.ts";
import type { RoomRequest } from "./http.ts";
import { ChatRoom } from "./room.ts";

// One for the process: it is the same for every room, and never changes.
let vocabulary: Vocabulary | undefined;

const connect: Connect = {
  vocabulary: () => (vocabulary ??= createVocabulary(english)),
  store: ({ DATABASE_URL, NEON_FETCH_ENDPOINT }: Settings) =>
    createPostgresStore({
      databaseUrl: DATABASE_URL ?? "",
      ...(NEON_FETCH_ENDPOINT !== undefined && { fetchEndpoint: NEON_FETCH_ENDPOINT }),
    }),
  board: ({ UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN }: Settings) =>
    createPresenceBoard(createRedis({ url: UPSTASH_REDIS_REST_URL ?? "", token: UPSTASH_REDIS_REST_TOKEN ?? "" })),
};

/**
 * The party PartyKit runs: its static hooks are the door, an instance is one room. PartyKit shows a thrown error's text to
 * the client, so nothing here throws.
 */
export default class Room implements Party.Server {
  static onBeforeConnect = onBeforeConnect;
  static onBeforeRequest = onBeforeRequest;
  static onFetch = onFetch;

  readonly options: Party.ServerOptions = { hibernate: true };
  /** Undefined when the settings are not safe: then every socket is told to come back later. */
  readonly #room: ChatRoom | undefined;
  readonly #storage: Pick<Party.Storage, "setAlarm">;

  constructor(room: Party.Room) {
    this.#storage = room.storage;
    const result = createRoomDeps(room.env, connect);
    if ("deps" in result) this.#room = new ChatRoom(room, result.deps);
    else result.log.error("config_invalid", undefined, { problems: result.problems.join("; ") });
  }

  async onStart(): Promise<void> {
    await this.#room?.start();
  }

  async onConnect(connection: Party.Connection, { request }: Party.ConnectionContext): Promise<void> {
    if (this.#room === undefined) connection.close(CLOSES.internal, "config_invalid");
    else await this.#room.connect(connection, request);
  }

  onMessage(message: unknown, connection: Party.Connection): Promise<void> | void {
    return this.#room?.message(connection, message);
  }

  onClose(connection: Party.Connection): void {
    this.#room?.close(connection);
  }

  onError(connection: Party.Connection): void {
    this.#room?.close(connection);
  }

  async onAlarm(): Promise<void> {
    if (this.#room === undefined) await this.#storage.setAlarm(Date.now() + UNSAFE_RETRY_MS);
    else await this.#room.alarm();
  }

  async onRequest(request: RoomRequest): Promise<Response> {
    if (this.#room === undefined) return Response.json({ code: "config_invalid" }, { status: 503 });
    return this.#room.request(request);
  }
}
