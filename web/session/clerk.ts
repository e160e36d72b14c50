import { RequestError } from "./request.ts";

/** What this page uses of Clerk's script for browsers. */
interface Clerk {
  load(options: { telemetry: false }): Promise<void>;
  /** Null when nobody is signed in. */
  session: { getToken(): Promise<string | null> } | null | undefined;
  user: { fullName: string | null; username: string | null } | null | undefined;
  redirectToSignIn(options: { signInForceRedirectUrl: string; signUpForceRedirectUrl: string }): Promise<unknown>;
  signOut(options: { redirectUrl: string }): Promise<unknown>;
}

interface ClerkSignIn {
  issuer: string;
  publishableKey: string;
}

const LOAD_TIME_LIMIT_MS = 10_000;
const NO_TOKEN = "Clerk gives no session token now.";

let loading: Promise<Clerk> | undefined;
/** A sign-out that is under way. Until it is through, Clerk still has the session. */
let leaving: Promise<void> | undefined;

/** Clerk's script of this deployment's own instance: the one without components, which would need inline styles. */
function loadClerk(signIn: ClerkSignIn): Promise<Clerk> {
  loading ??= withinTime(startClerk(signIn)).catch((cause: unknown) => {
    loading = undefined;
    const { host } = new URL(signIn.issuer);
    const words = `Clerk at ${host} cannot be reached. If it can from elsewhere, this page was built without its address.`;
    throw Object.assign(new RequestError(words), { cause });
  });
  return loading;
}

/** Who is signed in at Clerk in this browser, if anybody is. */
export async function clerkUser(signIn: ClerkSignIn): Promise<{ name: string } | undefined> {
  const left = leaving;
  leaving = undefined; // one that failed is told once
  await left;
  const { session, user } = await loadClerk(signIn);
  if (session === null || session === undefined) return undefined;
  return { name: user?.fullName ?? user?.username ?? "You" };
}

/** Leaves for Clerk's own sign-in page, which comes back here. */
export async function goToClerk(signIn: ClerkSignIn): Promise<void> {
  const clerk = await loadClerk(signIn);
  const { href } = location;
  await clerk.redirectToSignIn({ signInForceRedirectUrl: href, signUpForceRedirectUrl: href });
}

/** A session token of whoever is signed in. They live a minute, so it is asked for each exchange. */
export async function clerkSession(signIn: ClerkSignIn): Promise<string> {
  const { session } = await loadClerk(signIn);
  if (session === null || session === undefined)
    throw new RequestError("You are signed out at Clerk.", { code: "token_missing", status: 401 });
  const token = await session.getToken().catch((cause: unknown) => {
    const { status } = (cause ?? {}) as { status?: number }; // 401 when the session was ended elsewhere
    throw Object.assign(new RequestError(NO_TOKEN, { status }), { cause });
  });
  // Without a network there is none either, and the session is still there.
  if (token === null || token === "") throw new RequestError(NO_TOKEN);
  return token;
}

/** Signs out at Clerk too. What comes of it is told by the next `clerkUser`, which waits for it. */
export function leaveClerk(signIn: ClerkSignIn): void {
  leaving = loadClerk(signIn).then(async (clerk) => {
    await clerk.signOut({ redirectUrl: location.href }).catch((cause: unknown) => {
      const words = "Clerk could not be told that you left: you may still be signed in there.";
      throw Object.assign(new RequestError(words), { cause });
    });
  });
  leaving.catch(() => undefined);
}

async function startClerk({ issuer, publishableKey }: ClerkSignIn): Promise<Clerk> {
  await addScript(`${issuer}/npm/@clerk/clerk-js@5/dist/clerk.headless.browser.js`, publishableKey);
  const { Clerk: clerk } = window as unknown as { Clerk: Clerk }; // its script has put it there
  await clerk.load({ telemetry: false });
  return clerk;
}

function addScript(src: string, publishableKey: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.crossOrigin = "anonymous";
    script.dataset["clerkPublishableKey"] = publishableKey;
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error(`No script at ${src}`));
    });
    document.head.append(script);
  });
}

function withinTime<Value>(work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("No answer in time")), LOAD_TIME_LIMIT_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
