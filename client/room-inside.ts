import type { Emitter } from "./emitter.ts";
import type { Http } from "./http.ts";
import type { Timeline } from "./timeline.ts";
import type { ChatLimits, ChatPlatform, ClientEvents, Kept, RoomEvents } from "./types.ts";

/** What a client's rooms have in common. */
export interface RoomHost {
  platform: ChatPlatform;
  /** @throws {ChatError} `unreachable` when that part of the client cannot be loaded now. */
  http: () => Promise<Http>;
  events: Emitter<ClientEvents>;
  limits: ChatLimits;
  catchUpMax: number;
  userId?: string;
  kept?: Kept | undefined;
  /** @returns whether it went out. */
  send: (frame: Record<string, unknown>) => boolean;
}

/** What the parts of one room have in common. */
export interface RoomInside {
  id: string;
  host: RoomHost;
  events: Emitter<RoomEvents>;
  timeline: Timeline;
  /** Tells the server something of this room. @returns whether it went out. */
  say: (frame: Record<string, unknown>) => boolean;
  /** Something that an app sees is another now. */
  changed: () => void;
}
