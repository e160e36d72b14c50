import { useCallback, useState } from "react";
import { forgetSession, type Session, storedSession } from "../session/session.ts";
import { SignedIn } from "./signed-in.tsx";
import { Welcome } from "./welcome.tsx";

/** The door, or the chat of whoever came through it. */
export function App() {
  const [session, setSession] = useState<Session | undefined>(storedSession);
  const [last, setLast] = useState({ notice: "", name: "" });
  const leave = useCallback((notice: string) => {
    setSession((session) => {
      setLast({ notice, name: session?.name ?? "" });
      return undefined;
    });
    forgetSession();
  }, []);
  if (session === undefined) return <Welcome notice={last.notice} name={last.name} onSignedIn={setSession} />;
  return <SignedIn key={session.userId} session={session} onLeave={leave} />;
}
