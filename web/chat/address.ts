import { useSyncExternalStore } from "react";

const CHANNEL_ID = /^[A-Za-z0-9_-]{1,64}$/;
const LOBBY = "lobby";

/** The room whose id is in the address, after `#`: so that it can be sent to somebody, and the browser's back button works. */
export function useRoomInAddress(): string {
  return useSyncExternalStore(subscribe, read);
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

function read(): string {
  const id = location.hash.slice(1);
  return CHANNEL_ID.test(id) ? id : LOBBY;
}

export function showRoom(id: string): void {
  location.hash = id;
}

/** The channel id of a name: "Weekend plans!" is "weekend-plans". An id stays as it is. */
export function channelIdOf(name: string): string {
  if (CHANNEL_ID.test(name)) return name;
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 64);
}
