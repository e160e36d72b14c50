import { type ChatClaims, type TokenKind, createTokenKeys, verifyChatToken } from "../domain/chat-tokens.ts";
import { readConfig, type Settings, type Variables } from "../domain/config.ts";
import type { Now } from "../domain/ports/clock.ts";
import type { HistoryStore } from "../domain/ports/history.ts";
import type { ModerationStore } from "../domain/ports/moderation.ts";
import type { PresenceBoard } from "../domain/ports/presence-board.ts";
import type { RoomStore } from "../domain/ports/room-store.ts";
import type { Vocabulary } from "../domain/moderation/vocabulary.ts";
import { createRoomLogger, type RoomLogger } from "./log.ts";

export type RoomSettings = Pick<
  Settings,
  "ROOMS_AUTO_CREATE" | "RATE_LIMIT_WINDOW_MS" | "RATE_LIMIT_MAX_MESSAGES" | "MAX_MESSAGE_LENGTH"
>;

/** Runs `callback` after `ms`; only for times too short to matter to hibernation. */
export type After = (ms: number, callback: () => void) => void;

/** Everything a room asks of the world outside its own object. */
export interface RoomDeps {
  settings: RoomSettings;
  store: RoomStore & Pick<HistoryStore, "listEvents"> & Pick<ModerationStore, "findModeration">;
  board: Pick<PresenceBoard, "reportPresence">;
  /** What the content filter looks for; undefined where `ENABLE_MODERATION` is not set. */
  vocabulary: Vocabulary | undefined;
  verify(kind: TokenKind, token: string): Promise<ChatClaims>;
  now: Now;
  after: After;
  newId(): string;
  log: RoomLogger;
}

/** An alarm that rings while the settings are not safe is set again for so much later: what is due stays due. */
export const UNSAFE_RETRY_MS = 60_000;

/** What a room can say when its settings are not safe: nothing is served, and the log names the keys. */
export type DepsResult = { deps: RoomDeps } | { problems: string[]; log: RoomLogger };

/** How `party/index.ts` makes the real store and board. */
export interface Connect {
  store(settings: Settings): RoomDeps["store"];
  board(settings: Settings): RoomDeps["board"];
  vocabulary(): Vocabulary;
}

/** Reads the settings and builds what a room needs from them. */
export function createRoomDeps(variables: Variables, connect: Connect): DepsResult {
  const { settings, problems } = readConfig(variables);
  const log = createRoomLogger(settings?.ENABLE_LOGGING ?? false, (line) => console.log(line));
  if (settings === undefined) return { problems: problems.map(({ name, problem }) => `${name} ${problem}`), log };
  let keys: ReturnType<typeof createTokenKeys> | undefined;
  return {
    deps: {
      settings,
      store: connect.store(settings),
      board: connect.board(settings),
      vocabulary: settings.ENABLE_MODERATION ? connect.vocabulary() : undefined,
      async verify(kind, token) {
        keys ??= createTokenKeys(
          settings.PUBLIC_URL,
          settings.CHAT_JWT_SECRET ?? "",
          settings.CHAT_JWT_SECRET_PREVIOUS,
        );
        return verifyChatToken(await keys, kind, token, Date.now());
      },
      now: () => Date.now(),
      after: (ms, callback) => void setTimeout(callback, ms),
      newId: () => crypto.randomUUID(),
      log,
    },
  };
}
