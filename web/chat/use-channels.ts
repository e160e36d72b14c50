import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ChatClient } from "../../client/chat-client.ts";
import type { NewChannel } from "./side/add-channel.tsx";

const PRIVATE: ReadonlySet<string> = new Set(["private", "team", "dm"]);
const LOBBY = "lobby";
const LISTED_MAX = 500;
// One socket may follow fifty rooms. The others' counts are asked for now and then.
const FOLLOWED_MAX = 45;
const ASK_EVERY_MS = 15_000;
/** Rooms that one has been in lately stay followed, wherever they are in the list. */
const VISITED_MAX = 20;

/** A channel as the list shows it. */
export interface ChannelItem {
  id: string;
  name: string;
  isPrivate: boolean;
  /** Up to where the reader had read, as far as the list knows. */
  readSeq: number | undefined;
  /** Messages after that, when the list was asked for. */
  unread: number;
  /** Its room is joined in the background, for a count of what is unread. */
  isFollowed: boolean;
}

interface Channels {
  channels: readonly ChannelItem[];
  create: (channel: NewChannel) => Promise<void>;
}

/**
 * The person's channels, and the one they look at even when it is not theirs yet. Asked for again whenever the connection
 * is new and when they enter a channel; and while there are more than can be followed, again and again.
 */
export function useChannels(client: ChatClient, active: string, isConnected: boolean): Channels {
  const [known, setKnown] = useState<readonly ChannelItem[]>([]);
  const newest = useRef(0);
  const load = useCallback(async (): Promise<void> => {
    const asked = ++newest.current;
    const all = await listAll(client);
    if (asked === newest.current) setKnown(all.map(toItem));
  }, [client]);
  const isListed = known.some(({ id }) => id === active);
  useEffect(() => {
    // Nothing is lost when the list does not come: it keeps its old state, and comes with the next connection.
    if (isConnected) load().catch(() => undefined);
  }, [isConnected, active, isListed, load]);
  const visited = useVisited(active);
  const channels = useMemo(() => follow(withActive(known, active), visited), [known, active, visited]);
  const isAllFollowed = channels.every(({ isFollowed }) => isFollowed);
  useEffect(() => {
    if (!isConnected || isAllFollowed) return;
    const ask = () => {
      if (!document.hidden) load().catch(() => undefined);
    };
    const timer = setInterval(ask, ASK_EVERY_MS);
    document.addEventListener("visibilitychange", ask);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, [isConnected, isAllFollowed, load]);
  const create = useCallback(
    async ({ id, name, type, members }: NewChannel) => {
      await client.createChannel({ channelId: id, name, type, ...(members.length > 0 && { members }) });
      await load();
    },
    [client, load],
  );
  return { channels, create };
}

/** The rooms that were looked at, the newest first. */
function useVisited(active: string): readonly string[] {
  const [visited, setVisited] = useState<readonly string[]>([active]);
  if (visited[0] !== active) setVisited([active, ...visited.filter((id) => id !== active)].slice(0, VISITED_MAX));
  return visited;
}

function withActive(known: readonly ChannelItem[], active: string): ChannelItem[] {
  const missing = [LOBBY, active].filter(
    (id, at, ids) => ids.indexOf(id) === at && !known.some((one) => one.id === id),
  );
  const added = missing.map((id) => ({
    id,
    name: id,
    isPrivate: false,
    readSeq: undefined,
    unread: 0,
    isFollowed: false,
  }));
  // The lobby first: everybody knows it. The others by name.
  return [...known, ...added].sort(
    (a, b) => Number(b.id === LOBBY) - Number(a.id === LOBBY) || a.name.localeCompare(b.name),
  );
}

/** Those that one has been in, then the others from the top. */
function follow(channels: readonly ChannelItem[], visited: readonly string[]): ChannelItem[] {
  const wanted = [LOBBY, ...visited, ...channels.map(({ id }) => id)];
  const followed = new Set([...new Set(wanted)].slice(0, FOLLOWED_MAX));
  return channels.map((channel) => ({ ...channel, isFollowed: followed.has(channel.id) }));
}

type Channel = Awaited<ReturnType<ChatClient["channels"]>>["channels"][number];

async function listAll(client: ChatClient): Promise<Channel[]> {
  const all: Channel[] = [];
  let after: string | undefined;
  do {
    const { channels, next } = await client.channels(after);
    all.push(...channels);
    after = next ?? undefined;
  } while (after !== undefined && all.length < LISTED_MAX);
  return all;
}

function toItem({ id, name, type, readSeq, unread }: Channel): ChannelItem {
  return { id, name, isPrivate: PRIVATE.has(type), readSeq, unread: unread ?? 0, isFollowed: false };
}
