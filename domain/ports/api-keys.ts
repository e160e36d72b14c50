import type { AppId } from "../../protocol/ids.ts";

export interface ApiKeyRecord {
  id: string;
  app: AppId;
  environment: "live" | "test";
  /** SHA-256 of the secret part, hex. */
  hash: string;
  createdAt: Date;
  revokedAt: Date | null;
}

/** What is done to a key is in the audit log. */
export interface KeyStore {
  findApiKey(id: string): Promise<ApiKeyRecord | undefined>;
  insertApiKey(key: ApiKeyRecord): Promise<void>;
  listApiKeys(app?: AppId): Promise<ApiKeyRecord[]>;
  /** @returns false when there is no such key or it is revoked already. */
  revokeApiKey(id: string, at: Date): Promise<boolean>;
}
