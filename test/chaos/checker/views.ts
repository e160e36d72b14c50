import type { Model } from "./model.ts";

/** Everything that a client ever got of a room, by whatever way, up to a time. */
export interface View {
  client: string;
  room: string;
  /** Numbers of `message` entries. */
  messages: Set<number>;
}

/** What each client had seen of each room by `until`. */
export function readViews(model: Model, until = Infinity): View[] {
  const views = new Map<string, View>();
  for (const entry of model.entries) {
    if (entry.kind !== "saw" && entry.kind !== "joined" && entry.kind !== "page") continue;
    if (entry.at > until) break;
    if (entry.kind === "page" && !entry.fills) continue;
    const { client, room } = entry;
    let view = views.get(`${client} ${room}`);
    if (view === undefined) views.set(`${client} ${room}`, (view = { client, room, messages: new Set() }));
    for (const n of entry.messages) view.messages.add(n);
  }
  return [...views.values()];
}

/** A client's stay in a room on one socket: from its first `room_joined` to the end of either. */
export interface Stay {
  client: string;
  socket: number;
  room: string;
  from: number;
  to: number;
}

/** When who was in which room, as the clients themselves know it. */
export function readStays(model: Model): Stay[] {
  const open = new Map<string, Stay>();
  const all: Stay[] = [];
  const end = (key: string, at: number) => {
    const stay = open.get(key);
    if (stay !== undefined) stay.to = at;
    open.delete(key);
  };
  for (const entry of model.entries) {
    if (entry.kind === "joined") {
      const { client, socket, room, at } = entry;
      if (open.has(`${socket} ${room}`)) continue;
      const stay = { client, socket, room, from: at, to: Infinity };
      open.set(`${socket} ${room}`, stay);
      all.push(stay);
    } else if (entry.kind === "left") end(`${entry.socket} ${entry.room}`, entry.at);
    else if (entry.kind === "closed")
      for (const [key, { socket }] of open) if (socket === entry.socket) end(key, entry.at);
  }
  return all;
}
