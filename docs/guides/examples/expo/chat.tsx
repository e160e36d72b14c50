import { useAuth } from "@clerk/expo";
import * as SecureStore from "expo-secure-store";
import { ChatClient } from "parley";
import { ChatProvider } from "parley/react";
import { type PropsWithChildren, useEffect, useRef, useState } from "react";
import { messages, watch } from "./device.ts";
import { fetchTokens } from "./fetch-tokens.ts";
import { KeptTokens } from "./kept-tokens.ts";

const API_URL = process.env["EXPO_PUBLIC_API_URL"] ?? "";
// Readable only while the device is unlocked, and never part of a backup that another device restores.
const ON_THIS_DEVICE = { keychainAccessible: SecureStore.WHEN_UNLOCKED_THIS_DEVICE_ONLY };
const secrets = {
  ...SecureStore,
  setItemAsync: (key: string, value: string) => SecureStore.setItemAsync(key, value, ON_THIS_DEVICE),
};

/** Everything inside chats as the person who is signed in with Clerk. */
export function Chat({ children }: PropsWithChildren) {
  const { isSignedIn, userId } = useAuth();
  if (isSignedIn !== true || typeof userId !== "string") return null;
  // Another person is another client, with nothing left of the one before.
  return (
    <ChatOf key={userId} userId={userId}>
      {children}
    </ChatOf>
  );
}

function ChatOf({ userId, children }: PropsWithChildren<{ userId: string }>) {
  const { getToken } = useAuth();
  const session = useRef(getToken);
  useEffect(() => {
    session.current = getToken;
  }, [getToken]);
  const [{ client, kept }] = useState(() => openChat(userId, () => session.current()));
  useEffect(() => {
    const refused = client.on("unauthorized", () => {
      // A connect() that is refused again tells so by this event.
      kept
        .forget()
        .then((wereKept) => (wereKept ? client.connect() : undefined))
        .catch(noop);
    });
    return () => refused.remove();
  }, [client, kept]);
  return <ChatProvider client={client}>{children}</ChatProvider>;
}

const noop = (): void => {};

function openChat(userId: string, session: () => Promise<string | null>) {
  const fresh = async ({ signal }: { signal: AbortSignal }) => fetchTokens(API_URL, await session(), signal);
  const kept = new KeptTokens(userId, fresh, secrets);
  const client = new ChatClient({ apiUrl: API_URL, getToken: kept.getToken, storage: messages, platform: { watch } });
  return { client, kept };
}
