import type { ServerFrameOf } from "../protocol/frames.ts";
import { ChatError } from "./chat-error.ts";
import { createConnection } from "./connection.ts";
import { createEmitter } from "./emitter.ts";
import type { Http } from "./http.ts";
import { choosePlatform } from "./platform.ts";
import type { RoomHost } from "./room-inside.ts";
import { createRooms } from "./rooms.ts";
import { createTokenSource, type HeldTokens, userOf } from "./tokens.ts";
import type { ChatClientOptions, ChatLimits, ClientEvents } from "./types.ts";

const DEFAULT_LIMITS: ChatLimits = {
  messageMaxLength: 1_000,
  messageMaxBytes: 4_096,
  frameMaxBytes: 16_384,
  messagesPerWindow: 30,
  windowMs: 60_000,
};
const CATCH_UP_MAX = 2_000;

/** What a client is made of: tokens, a connection, rooms, and who the user is. */
export function createCore(options: ChatClientOptions) {
  const { apiUrl, storage, catchUpMax = CATCH_UP_MAX } = options;
  const platform = choosePlatform(options.platform);
  const events = createEmitter<ClientEvents>();
  const tokens = createTokenSource(options, platform);
  const baseUrl = apiBase(apiUrl);
  let loading: Promise<void> | undefined;
  let httpPart: Promise<Http> | undefined;

  const host: RoomHost = {
    platform,
    events,
    catchUpMax,
    limits: DEFAULT_LIMITS,
    send: (frame) => connection.send(frame),
    http,
  };
  const rooms = createRooms(host);
  const connection = createConnection({
    host,
    tokens,
    prepare,
    welcomed,
    hear: (frame) => rooms.hear(frame),
    lost: () => rooms.each((room) => room.lost()),
    tick: () => rooms.each((room) => room.tick()),
  });
  const userId = userOf(options);
  if (userId) identify(userId);

  // The user, and what is stored of them.

  function requireSame(fresh: HeldTokens): string | undefined {
    const own = userOf(fresh);
    if (own && host.userId && own !== host.userId) throw new ChatError("bad_claims");
    return own;
  }

  function identify(own: string): void {
    if (host.userId) return;
    const kept = storage?.(own, (error) => events.emit("error", { code: "storage_failed", message: String(error) }));
    host.userId = own;
    host.kept = kept;
    loading = kept?.load().then((roomIds) => {
      rooms.each((room) => kept.restore(room));
      for (const roomId of roomIds) rooms.open(roomId);
    });
  }

  // HTTP and the socket.

  function http(): Promise<Http> {
    httpPart ??= import("./http.ts").then(
      ({ createHttp }) => createHttp({ platform, tokens, baseUrl, unauthorized: connection.unauthorized }),
      (error: unknown) => {
        httpPart = undefined;
        throw new ChatError("unreachable", String(error));
      },
    );
    return httpPart;
  }

  async function prepare(fresh: HeldTokens): Promise<string> {
    const own = requireSame(fresh);
    if (own) identify(own);
    await loading;
    const { wsUrl = apiUrl === undefined ? fresh.wsUrl : undefined } = options;
    const url = wsUrl ?? new URL("/ws", baseUrl).href.replace(/^http/, "ws");
    const session = rooms.choose();
    if (!session) return url;
    // By hand, because React Native's URL cannot be changed.
    const since = session.since();
    const place = since ? `&since=${since.epoch}.${since.seq}` : "";
    return `${url}${url.includes("?") ? "&" : "?"}roomId=${encodeURIComponent(session.room.id)}${place}`;
  }

  function welcomed({ userId: own, limits }: ServerFrameOf<"welcome">): void {
    if (host.userId && host.userId !== own) return connection.stop(new ChatError("bad_claims"));
    identify(own);
    host.limits = { ...DEFAULT_LIMITS, ...limits };
    void http().catch(() => {}); // now that there is surely a network
    rooms.welcomed();
    events.emit("open", { userId: own });
  }

  return {
    host,
    rooms,
    connection,

    setTokens(fresh: HeldTokens): void {
      requireSame(fresh);
      tokens.set(fresh);
      connection.renewed(fresh);
    },
  };
}

/** Where the HTTP interface is: its routes stand at the root, also for those who were told `…/api`. */
function apiBase(apiUrl = ""): string {
  const { origin = "http://localhost" } = (globalThis as { location?: { origin?: string } }).location ?? {};
  return new URL(apiUrl, origin).href.replace(/(\/api)?\/*$/, "");
}
