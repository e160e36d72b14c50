import type { Settings } from "../domain/config.ts";
import { KeySource, type KeySourceDeps } from "../domain/jwks.ts";
import type { TrustedIssuer } from "../domain/session-verifier.ts";

type IssuerSettings = Pick<
  Settings,
  "CLERK_JWT_ISSUER" | "CLERK_JWKS_URL" | "CLERK_AUTHORIZED_PARTIES" | "CLERK_AUDIENCE" | "DEV_MODE" | "LOCAL_ISSUER"
>;

/** The issuers this deployment takes session tokens of, each with a key set of its own. */
export function trustedIssuers(settings: IssuerSettings, deps: Omit<KeySourceDeps, "issuer" | "url">): TrustedIssuer[] {
  const { CLERK_JWT_ISSUER, CLERK_JWKS_URL, DEV_MODE, LOCAL_ISSUER } = settings;
  const sources: { issuer: string; url: string }[] = [];
  if (CLERK_JWT_ISSUER !== undefined)
    sources.push({ issuer: CLERK_JWT_ISSUER, url: CLERK_JWKS_URL ?? keySetUrl(CLERK_JWT_ISSUER) });
  if (DEV_MODE && LOCAL_ISSUER !== undefined && LOCAL_ISSUER !== CLERK_JWT_ISSUER)
    sources.push({ issuer: LOCAL_ISSUER, url: keySetUrl(LOCAL_ISSUER) });
  return sources.map((source) => ({
    keys: new KeySource({ ...deps, ...source }),
    parties: settings.CLERK_AUTHORIZED_PARTIES,
    audience: settings.CLERK_AUDIENCE,
  }));
}

function keySetUrl(issuer: string): string {
  return `${issuer.replace(/\/+$/, "")}/.well-known/jwks.json`;
}
