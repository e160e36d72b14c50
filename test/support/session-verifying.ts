import { createSessionVerifier, type SessionVerifier, type TrustedIssuer } from "../../domain/session-verifier.ts";
import { KeySource } from "../../domain/jwks.ts";
import type { Clock } from "./clock.ts";
import type { SigningKey } from "./key-server.ts";

/** An issuer that publishes whatever keys are in its list at the moment it is asked. */
export interface TestIssuer extends TrustedIssuer {
  published: SigningKey[];
}

export function trustIssuer(
  clock: Clock,
  issuer: string,
  published: SigningKey[],
  { parties, audience }: Partial<Pick<TrustedIssuer, "parties" | "audience">> = {},
): TestIssuer {
  const made: TestIssuer = {
    published,
    parties,
    audience,
    keys: new KeySource({
      issuer,
      url: `${issuer}/.well-known/jwks.json`,
      fetch: async () => Response.json({ keys: made.published.map(({ publicJwk }) => publicJwk) }),
      cache: { load: async () => undefined, save: async () => {} },
      now: clock.now,
      waitUntil: () => {},
      onProblem: () => {},
    }),
  };
  return made;
}

export function verifierOf(clock: Clock, ...issuers: TrustedIssuer[]): SessionVerifier {
  return createSessionVerifier(issuers, clock.now);
}
