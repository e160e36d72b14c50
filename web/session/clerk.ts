import { RequestError } from "./request.ts";

/** What this page uses of Clerk's script for browsers. */
interface Clerk {
  load(): Promise<void>;
  session: { getToken(): Promise<string | null> } | null | undefined;
  user: { fullName: string | null; username: string | null } | null | undefined;
  redirectToSignIn(options: { signInForceRedirectUrl: string }): Promise<unknown>;
  signOut(): Promise<unknown>;
}

interface ClerkSignIn {
  issuer: string;
  publishableKey: string;
}

let loading: Promise<Clerk> | undefined;

/** Clerk's script of this deployment's own instance: the one without components, which would need inline styles. */
async function loadClerk({ issuer, publishableKey }: ClerkSignIn): Promise<Clerk> {
  loading ??= addScript(`${issuer}/npm/@clerk/clerk-js@5/dist/clerk.headless.browser.js`, publishableKey)
    .then(async () => {
      const { Clerk: clerk } = window as unknown as { Clerk: Clerk }; // its script has put it there
      await clerk.load();
      return clerk;
    })
    .catch((cause: unknown) => {
      loading = undefined;
      throw Object.assign(new RequestError("Clerk cannot be reached. Is its address allowed by this page's policy?"), {
        cause,
      });
    });
  return await loading;
}

/** Who is signed in at Clerk in this browser, if anybody is. */
export async function clerkUser(signIn: ClerkSignIn): Promise<{ name: string } | undefined> {
  const clerk = await loadClerk(signIn);
  if (clerk.session === null || clerk.session === undefined) return undefined;
  return { name: clerk.user?.fullName ?? clerk.user?.username ?? "You" };
}

/** Leaves for Clerk's own sign-in page, which comes back here. */
export async function goToClerk(signIn: ClerkSignIn): Promise<void> {
  const clerk = await loadClerk(signIn);
  await clerk.redirectToSignIn({ signInForceRedirectUrl: location.href });
}

/** A session token of whoever is signed in. They live a minute, so it is asked for each exchange. */
export async function clerkSession(signIn: ClerkSignIn): Promise<string> {
  const clerk = await loadClerk(signIn);
  const token = await clerk.session?.getToken();
  if (typeof token !== "string") throw new RequestError("You are signed out at Clerk.", "token_missing");
  return token;
}

export async function leaveClerk(signIn: ClerkSignIn): Promise<void> {
  const clerk = await loadClerk(signIn);
  await clerk.signOut();
}

function addScript(src: string, publishableKey: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.crossOrigin = "anonymous";
    script.dataset["clerkPublishableKey"] = publishableKey;
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => reject(new Error(`No script at ${src}`)));
    document.head.append(script);
  });
}
