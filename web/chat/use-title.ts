import { useEffect, useState } from "react";
import type { ChatClient } from "../../client/chat-client.ts";
import type { ChannelItem } from "./use-channels.ts";

/** Names the tab after the room, with how much is unread in all of them. */
export function useTitle(client: ChatClient, channels: readonly ChannelItem[], name: string): void {
  const key = channels.flatMap(({ id, isFollowed }) => (isFollowed ? [id] : [])).join(" ");
  const [counted, setCounted] = useState(0);
  const asked = channels.reduce((sum, { isFollowed, unread }) => sum + (isFollowed ? 0 : unread), 0);
  const unread = counted + asked;
  useEffect(() => {
    const rooms = key.split(" ").map((id) => client.join(id));
    const sum = () => setCounted(rooms.reduce((total, { state }) => total + state.unread, 0));
    const changes = rooms.map((room) => room.on("change", sum));
    sum();
    return () => {
      for (const change of changes) change.remove();
      for (const room of rooms) room.leave();
    };
  }, [client, key]);
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}#${name} · Parley`;
  }, [unread, name]);
}
