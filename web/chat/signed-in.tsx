import { useState } from "react";
import { browserStorage } from "../../client/browser-storage.ts";
import { ChatProvider } from "../../client/react/index.ts";
import { leaveClerk } from "../session/clerk.ts";
import { type Session, tokensOf } from "../session/session.ts";
import { Chat } from "./chat.tsx";

interface SignedInProps {
  session: Session;
  onLeave: (notice: string) => void;
}

const SIGN_IN_AGAIN = "Your sign-in no longer holds here. Please sign in again.";

/** A client of its own for each person, connected while they are here. What they wrote and did not get sent is kept. */
export function SignedIn({ session, onLeave }: SignedInProps) {
  const [options] = useState(() => ({ getToken: tokensOf(session), storage: browserStorage() }));
  const signOut = () => {
    if (session.signIn.provider === "clerk") leaveClerk(session.signIn);
    onLeave("");
  };
  return (
    <ChatProvider {...options} onUnauthorized={() => onLeave(SIGN_IN_AGAIN)}>
      <Chat session={session} onSignOut={signOut} />
    </ChatProvider>
  );
}
