import type { ChatTokens, GetToken } from "parley";

/** The part of expo-secure-store that is needed: the Keychain on iOS, the KeyStore on Android. */
export interface SecretStore {
  getItemAsync(key: string): Promise<string | null>;
  setItemAsync(key: string, value: string): Promise<void>;
  deleteItemAsync(key: string): Promise<void>;
}

interface Kept {
  userId: string;
  wsUrl?: string | undefined;
  token: string;
  wsToken: string;
  /** By this device's clock. When that is wrong, the server refuses what is too old, and the client asks again. */
  endsAtMs: number;
}

const KEY = "chat.tokens";
const MIN_LIFE_MS = 3_600_000;

/**
 * Tokens live for a day, and apps are started more often than that: the first answer after a start is what the last one
 * kept, while it has an hour left. Later calls always fetch, because the client only asks when what it has is of no use.
 */
export class KeptTokens {
  readonly #userId: string;
  readonly #fetchTokens: GetToken;
  readonly #store: SecretStore;
  #isFirst = true;
  #hasGivenKept = false;

  constructor(userId: string, fetchTokens: GetToken, store: SecretStore) {
    this.#userId = userId;
    this.#fetchTokens = fetchTokens;
    this.#store = store;
  }

  readonly getToken: GetToken = async (request) => {
    const kept = this.#isFirst ? await this.#read() : undefined;
    this.#isFirst = false;
    this.#hasGivenKept = kept !== undefined;
    if (kept !== undefined) return kept;
    const tokens = await this.#fetchTokens(request);
    await this.#write(tokens);
    return tokens;
  };

  /**
   * Forgets what is kept: on `unauthorized`, and when the person signs out.
   *
   * @returns whether what was refused were kept tokens. They may have been revoked since: `connect()` again fetches new ones
   */
  async forget(): Promise<boolean> {
    await this.#store.deleteItemAsync(KEY);
    return this.#hasGivenKept;
  }

  async #read(): Promise<ChatTokens | undefined> {
    try {
      const kept = JSON.parse((await this.#store.getItemAsync(KEY)) ?? "null") as Kept | null; // written below
      const lifeMs = (kept?.endsAtMs ?? 0) - Date.now();
      if (kept === null || kept.userId !== this.#userId || lifeMs < MIN_LIFE_MS) return undefined;
      const { token, wsToken, userId, wsUrl } = kept;
      return { token, wsToken, userId, expiresIn: lifeMs / 1_000, ...(wsUrl !== undefined && { wsUrl }) };
    } catch {
      return undefined; // a locked or emptied store costs a request, nothing else
    }
  }

  async #write({ token, wsToken, wsUrl, expiresIn = 0 }: ChatTokens): Promise<void> {
    const kept: Kept = { userId: this.#userId, wsUrl, token, wsToken, endsAtMs: Date.now() + expiresIn * 1_000 };
    await this.#store.setItemAsync(KEY, JSON.stringify(kept)).catch(() => undefined); // the same
  }
}
