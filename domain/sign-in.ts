import type { SignInReply } from "../protocol/http.ts";
import type { Settings } from "./config.ts";

type SignInSettings = Pick<Settings, "DEV_MODE" | "LOCAL_ISSUER" | "CLERK_JWT_ISSUER" | "CLERK_PUBLISHABLE_KEY">;

/** How a page signs people in here. The local issuer comes first: it needs no account, and is only there with `DEV_MODE`. */
export function signInOf({
  DEV_MODE,
  LOCAL_ISSUER,
  CLERK_JWT_ISSUER,
  CLERK_PUBLISHABLE_KEY,
}: SignInSettings): SignInReply {
  if (DEV_MODE && LOCAL_ISSUER !== undefined) return { provider: "local", issuer: LOCAL_ISSUER };
  if (CLERK_JWT_ISSUER === undefined) return { provider: "none", issuer: null };
  if (CLERK_PUBLISHABLE_KEY === undefined) return { provider: "oidc", issuer: CLERK_JWT_ISSUER };
  return { provider: "clerk", issuer: CLERK_JWT_ISSUER, publishableKey: CLERK_PUBLISHABLE_KEY };
}
