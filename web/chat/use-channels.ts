import { useCallback, useEffect, useMemo, useState } from "react";
import type { ChatClient } from "../../client/chat-client.ts";
import type { NewChannel } from "./side/add-channel.tsx";

const PRIVATE: ReadonlySet<string> = new Set(["private", "team", "dm"]);
const LOBBY = "lobby";
const LISTED_MAX = 500;
// One socket may follow fifty rooms; the one that is looked at is among them.
const FOLLOWED_MAX = 45;

/** A channel as the list shows it. */
export interface ChannelItem {
  id: string;
  name: string;
  isPrivate: boolean;
  /** Up to where the reader had read, as far as the list knows. */
  readSeq: number | undefined;
  /** Messages of others after that, when the list was asked for. */
  unread: number;
  /** Its room is joined in the background, for a count of what is unread. */
  isFollowed: boolean;
}

interface Channels {
  channels: readonly ChannelItem[];
  create: (channel: NewChannel) => Promise<void>;
}

/**
 * The person's channels, and the one they look at even when it is not theirs yet. Asked for again whenever the
 * connection is new, and when they enter a channel that the list does not have.
 */
export function useChannels(client: ChatClient, active: string, isConnected: boolean): Channels {
  const [known, setKnown] = useState<readonly ChannelItem[]>([]);
  const load = useCallback(async (): Promise<void> => {
    setKnown((await listAll(client)).map(toItem));
  }, [client]);
  const isListed = known.some(({ id }) => id === active);
  useEffect(() => {
    // Nothing is lost when the list does not come: it keeps its old state, and comes with the next connection.
    if (isConnected) load().catch(() => undefined);
  }, [isConnected, active, isListed, load]);
  const create = useCallback(
    async ({ id, name, type, members }: NewChannel) => {
      await client.createChannel({ channelId: id, name, type, ...(members.length > 0 && { members }) });
      await load();
    },
    [client, load],
  );
  const channels = useMemo(() => withActive(known, active), [known, active]);
  return { channels, create };
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
    isFollowed: true,
  }));
  // The lobby first: everybody knows it. The others by name.
  return [...known, ...added]
    .sort((a, b) => Number(b.id === LOBBY) - Number(a.id === LOBBY) || a.name.localeCompare(b.name))
    .map((channel, at) => ({ ...channel, isFollowed: at < FOLLOWED_MAX }));
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
