import { type SubmitEvent, type ReactNode, useCallback, useEffect, useState } from "react";
import { ThemeSwitch } from "../theme/theme-switch.tsx";
import { clerkUser, goToClerk } from "../session/clerk.ts";
import { openSession, type Session } from "../session/session.ts";
import { findSignIn, type SignIn } from "../session/sign-in.ts";

interface WelcomeProps {
  /** Why somebody is here again. */
  notice: string;
  /** Who it was before. */
  name: string;
  onSignedIn: (session: Session) => void;
}

/** The door: finds out how people sign in at this deployment, and lets them. */
export function Welcome({ notice, name, onSignedIn }: WelcomeProps) {
  const [signIn, setSignIn] = useState<SignIn>();
  const [problem, setProblem] = useState(notice);
  const [isLost, setIsLost] = useState(false);
  const tell = useCallback((error: unknown) => setProblem(error === undefined ? "" : wordsOf(error)), []);
  const find = useCallback(() => {
    setIsLost(false);
    findSignIn().then(setSignIn, (error: unknown) => {
      setProblem(wordsOf(error));
      setIsLost(true);
    });
  }, []);
  useEffect(find, [find]);
  const retry = () => {
    setProblem("");
    find();
  };
  return (
    <main className="welcome">
      <div className="card">
        <img src="/favicon.svg" alt="" width="52" height="52" />
        <h1>Parley</h1>
        {signIn !== undefined && (
          <Door signIn={signIn} name={name} isTurnedOut={notice !== ""} onSignedIn={onSignedIn} onProblem={tell} />
        )}
        <p className="problem" role="alert">
          {problem}
        </p>
        {isLost && (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )}
      </div>
      <footer className="welcome-foot">
        <nav aria-label="More">
          <a href="/status">Status</a>
          <a href="/api/chats/docs">HTTP interface</a>
        </nav>
        <ThemeSwitch />
      </footer>
    </main>
  );
}

interface DoorProps<Kind extends SignIn> {
  signIn: Kind;
  name: string;
  /** They were here, and did not leave by themselves. */
  isTurnedOut: boolean;
  onSignedIn: (session: Session) => void;
  /** Without an error: there is none any more. */
  onProblem: (error?: unknown) => void;
}

function Door({ signIn, ...props }: DoorProps<SignIn>): ReactNode {
  switch (signIn.provider) {
    case "local":
      return <NameForm signIn={signIn} {...props} />;
    case "clerk":
      return <ClerkDoor signIn={signIn} {...props} />;
    case "oidc":
      return (
        <>
          <p>People sign in to this deployment with your identity provider, in the app that belongs to it.</p>
          <p className="hint">
            The app swaps the session token of {signIn.issuer} for chat tokens at <code>POST /v1/token</code>, then
            opens <code>/ws</code>.
          </p>
          <p className="hint">This page signs people in with Clerk, or where the local issuer runs.</p>
        </>
      );
    case "none":
      return (
        <>
          <p>No identity provider is configured here, so nobody can sign in.</p>
          <p className="hint">
            Set <code>CLERK_JWT_ISSUER</code> to the issuer of your app's sign-ins, then load this page again.
          </p>
        </>
      );
  }
}

/** Anybody may be anybody at the local issuer. */
function NameForm({ signIn, name, onSignedIn, onProblem }: DoorProps<Extract<SignIn, { provider: "local" }>>) {
  const [isBusy, setIsBusy] = useState(false);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const chosen = new FormData(event.currentTarget).get("name");
    if (typeof chosen !== "string" || chosen.trim() === "") return;
    setIsBusy(true);
    openSession(signIn, chosen.trim()).then(onSignedIn, (error: unknown) => {
      setIsBusy(false);
      onProblem(error);
    });
  };
  return (
    <form onSubmit={submit}>
      <p>Pick a name, open this page in a second window under another one, and talk.</p>
      <label htmlFor="name">Your name</label>
      <input
        id="name"
        name="name"
        maxLength={60}
        required
        defaultValue={name}
        autoComplete="username"
        autoFocus
        aria-describedby="name-hint"
      />
      <p id="name-hint" className="hint">
        Whoever picks the same name here is the same person.
      </p>
      <button className="primary" disabled={isBusy}>
        {isBusy ? "One moment…" : "Start chatting"}
      </button>
    </form>
  );
}

type ClerkDoorProps = DoorProps<Extract<SignIn, { provider: "clerk" }>>;

function ClerkDoor({ signIn, isTurnedOut, onSignedIn, onProblem }: ClerkDoorProps) {
  const [isBusy, setIsBusy] = useState(!isTurnedOut);
  /** Whoever is signed in at Clerk comes in. @returns whether somebody is. */
  const enter = useCallback(async (): Promise<boolean> => {
    const user = await clerkUser(signIn);
    if (user !== undefined) onSignedIn(await openSession(signIn, user.name));
    return user !== undefined;
  }, [signIn, onSignedIn]);
  const settle = useCallback(
    (work: Promise<unknown>) => void work.catch(onProblem).finally(() => setIsBusy(false)),
    [onProblem],
  );
  // Who comes back from Clerk's page has nothing left to press. Who was turned out would only be turned out again.
  useEffect(() => {
    if (!isTurnedOut) settle(enter());
  }, [isTurnedOut, enter, settle]);
  const press = () => {
    setIsBusy(true);
    onProblem();
    settle(enter().then((isIn) => (isIn ? undefined : goToClerk(signIn))));
  };
  return (
    <>
      <p>People sign in to this deployment with Clerk.</p>
      <button className="primary" type="button" disabled={isBusy} onClick={press}>
        {isBusy ? "One moment…" : "Sign in with Clerk"}
      </button>
    </>
  );
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
