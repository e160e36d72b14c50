/** The last good key set of an issuer, kept outside the isolate for when the issuer is down. */
export interface KeySetCache {
  load(issuer: string): Promise<{ jwks: unknown; fetchedAt: number } | undefined>;
  save(issuer: string, entry: { jwks: unknown; fetchedAt: number }): Promise<void>;
}
