import { useEffect, useState } from "react";
import type { ChatClient } from "../../client/chat-client.ts";

export const BUCKET_MS = 5_000;
/** Five minutes of buckets. */
export const BUCKETS = 60;
// As many as one socket may follow, with some room for what else it is in.
const ROOMS = 40;

interface Traffic {
  rooms: number;
  /** Different people who are in them now, as far as the rooms name them. */
  people: number;
  /** All messages of these rooms, ever: the sum of their newest positions. */
  messages: number;
  /** Messages that came in each span of time, the newest last. */
  buckets: readonly number[];
}

const NOTHING: Traffic = { rooms: 0, people: 0, messages: 0, buckets: [] };

/** Follows the person's channels, and counts once a second what goes on in them. */
export function useTraffic(client: ChatClient, isConnected: boolean): Traffic {
  const [traffic, setTraffic] = useState(NOTHING);
  const ids = useChannelIds(client, isConnected);
  useEffect(() => {
    const rooms = ids.map((id) => client.join(id));
    let counted = 0;
    let buckets = [0];
    let before: number | undefined;
    const look = () => {
      const joined = rooms.filter(({ state }) => state.status === "joined");
      const messages = joined.reduce((sum, { state }) => sum + state.head, 0);
      if (joined.length === rooms.length) {
        // Heads only grow; what they grew by has been written since the last look.
        const grown = before === undefined ? 0 : Math.max(0, messages - before);
        buckets = [...buckets.slice(0, -1), (buckets.at(-1) ?? 0) + grown];
        before = messages;
      }
      counted += 1;
      if (counted % (BUCKET_MS / 1_000) === 0) buckets = [...buckets, 0].slice(-BUCKETS);
      setTraffic({ rooms: joined.length, people: countPeople(joined), messages, buckets });
    };
    look();
    const timer = setInterval(look, 1_000);
    return () => {
      clearInterval(timer);
      for (const room of rooms) room.leave();
    };
  }, [client, ids]);
  return traffic;
}

function useChannelIds(client: ChatClient, isConnected: boolean): readonly string[] {
  const [ids, setIds] = useState<readonly string[]>(["lobby"]);
  useEffect(() => {
    if (!isConnected) return;
    // Without the list there is still the lobby.
    client.channels().then(
      ({ channels }) => setIds([...new Set(["lobby", ...channels.map(({ id }) => id)])].slice(0, ROOMS)),
      () => undefined,
    );
  }, [client, isConnected]);
  return ids;
}

function countPeople(rooms: readonly ReturnType<ChatClient["join"]>[]): number {
  const named = new Set<string>();
  let crowd = 0;
  for (const { state } of rooms) {
    const online = state.members.filter(({ status }) => status === "online");
    for (const { userId } of online) named.add(userId);
    // A large room names only some of its people.
    crowd += Math.max(0, state.memberCount - online.length);
  }
  return named.size + crowd;
}
