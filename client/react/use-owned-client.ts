import { useEffect, useState } from "react";
import { ChatClient, type ChatClientOptions } from "../index.ts";
import { keepConnected } from "./keep-connected.ts";
import { subjectOf } from "./subject-of.ts";

interface Owned {
  key: string | undefined;
  client?: ChatClient;
  /** Why there is no client. */
  error?: Error;
}

interface OwnedClient extends Omit<Owned, "key"> {
  /** Tries again to make a client. */
  reopen: () => void;
}

/** The options of the newest render that was committed. */
class Latest {
  options: ChatClientOptions | undefined;

  constructor(options: ChatClientOptions | undefined) {
    this.options = options;
  }

  /** Returns those before. */
  replace(options: ChatClientOptions | undefined): ChatClientOptions | undefined {
    const before = this.options;
    this.options = options;
    return before;
  }
}

/**
 * A client that lives as long as the component: connected while it is mounted, replaced when the addresses or the person
 * change. New tokens of the same person are handed to the client that is there, so nothing is lost or shown anew.
 */
export function useOwnedClient(options: ChatClientOptions | undefined): OwnedClient {
  const [latest] = useState(() => new Latest(options));
  const [kept, keep] = useState<Owned>(() => open(options, latest));
  let owned = kept;
  if (owned.key !== keyOf(options)) {
    owned = open(options, latest);
    keep(owned);
  }
  const { client } = owned;

  useEffect(() => {
    const before = latest.replace(options);
    if (options?.token === undefined || keyOf(before) !== keyOf(options)) return;
    if (before?.wsToken !== options.wsToken || before.token !== options.token) client?.setTokens(tokensOf(options));
  });
  useEffect(() => (client === undefined ? undefined : keepConnected(client)), [client]);
  return { ...owned, reopen: () => keep(open(options, latest)) };
}

function open(options: ChatClientOptions | undefined, latest: Latest): Owned {
  const key = keyOf(options);
  if (options === undefined) return { key };
  try {
    return { key, client: new ChatClient(withLatestGetToken(options, latest)) };
  } catch (error) {
    return { key, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Apps write `getToken` inline, so it is another function at each render: the newest one is asked, and none makes a new client. */
function withLatestGetToken(options: ChatClientOptions, latest: Latest): ChatClientOptions {
  const { getToken } = options;
  if (getToken === undefined) return options;
  return { ...options, getToken: (request) => (latest.options?.getToken ?? getToken)(request) };
}

function keyOf(options: ChatClientOptions | undefined): string | undefined {
  if (options === undefined) return undefined;
  const { apiUrl, wsUrl, userId, wsToken } = options;
  return JSON.stringify([apiUrl, wsUrl, userId ?? (wsToken === undefined ? "" : subjectOf(wsToken))]);
}

function tokensOf({ token, wsToken, expiresIn }: Extract<ChatClientOptions, { wsToken: string }>) {
  return { wsToken, ...(token !== undefined && { token }), ...(expiresIn !== undefined && { expiresIn }) };
}
