import { type ApiDeps, createApi } from "./api.ts";
import { catchUp, type HistoryReader, loadOlder } from "./history.ts";
import type { Channel, ChannelPage, NewChannel, RoomPresence } from "./channels.ts";

export type Http = ReturnType<typeof createHttp>;

/** What a client does over HTTP. In the package it is a file of its own, which is loaded when it is first needed. */
export function createHttp(deps: ApiDeps) {
  const api = createApi(deps);
  return {
    channels: (after?: string) => api<ChannelPage>(`channels${after ? `?after=${after}` : ""}`),
    channel: (id: string) => api<Channel>(`channels/${id}`),
    createChannel: (request: NewChannel) => api<Channel>("channels", request),
    presence: (roomId: string) => api<RoomPresence>(`presence?roomId=${roomId}`),
    catchUp: (room: HistoryReader, target: number) => catchUp(api, room, target),
    loadOlder: (room: HistoryReader, limit: number) => loadOlder(api, room, limit),
  };
}
