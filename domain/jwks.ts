import { ChatError } from "../protocol/errors.ts";
import { parseJson } from "../protocol/json.ts";
import { parseKeySet, type VerificationKey, type VerificationKeys } from "./key-set.ts";
import type { Now } from "./ports/clock.ts";
import type { KeySetCache } from "./ports/key-set-cache.ts";
import { SharedWork } from "./shared-work.ts";
import { within } from "./within.ts";

export interface KeySourceDeps {
  issuer: string;
  /** Where the issuer publishes its key set. */
  url: string;
  fetch: typeof fetch;
  /** The last good set, kept outside the isolate. */
  cache: KeySetCache;
  now: Now;
  /** Keeps work alive after its request was answered or cancelled. */
  waitUntil: (work: Promise<unknown>) => void;
  /** Told why a set could not be had; the reason is fit for a log. */
  onProblem: (reason: string) => void;
}

/** How good the keys at hand are: `stale` ones stand in while the issuer cannot be reached. */
export type KeySourceState = "fresh" | "stale" | "none";

interface Known {
  keys: VerificationKeys;
  fetchedAt: number;
}

const FRESH_MS = 10 * 60_000;
const STALE_MS = 24 * 3_600_000;
const FETCH_EVERY_MS = 30_000;
const FETCH_TIMEOUT_MS = 2_000;
const CACHE_TIMEOUT_MS = 300;
const MAX_BYTES = 64 * 1024;

/**
 * One issuer's keys: from memory for 10 minutes, then from the origin, and while that fails the last good set for 24 hours.
 *
 * The origin is asked at most once per 30 s by failures and unknown kids, whatever arrives. A fetch that was due by age
 * and went well does not count against that, so the first token of a new key works even right after one; such fetches are
 * 10 minutes apart by themselves. A new set replaces the old one whole, so a key that was taken out stops working.
 */
export class KeySource {
  readonly issuer: string;
  readonly #deps: KeySourceDeps;
  readonly #work = new SharedWork<boolean>(FETCH_TIMEOUT_MS + CACHE_TIMEOUT_MS * 2 + 500);
  #known: Known | undefined;
  #spentAt = -Infinity;
  #isFailing = false;

  constructor(deps: KeySourceDeps) {
    this.issuer = deps.issuer;
    this.#deps = deps;
  }

  /** The key if a fresh set in memory has it. No waiting, no network. */
  peek(kid: string): VerificationKey | undefined {
    return this.state() === "fresh" ? this.#known?.keys.get(kid) : undefined;
  }

  /**
   * The key, fetched if need be. Undefined: the issuer has no such key.
   *
   * @throws {ChatError} `auth_unavailable` when there is no set at all to look in.
   */
  async find(kid: string): Promise<VerificationKey | undefined> {
    const renewed = await this.#renewIfOld(kid);
    if (this.state() === "none") throw this.#unavailable();
    const key = this.#known?.keys.get(kid);
    if (key !== undefined) return key;
    // A set that was fetched for this very token has the last word about its kid.
    if (renewed) this.#spentAt = this.#deps.now();
    else if (this.#mayFetch()) await this.#refetchForKid();
    return this.#known?.keys.get(kid);
  }

  /** Whether keys are at hand now, after trying to get some if it is time to. For health checks. */
  async check(): Promise<KeySourceState> {
    await this.#renewIfOld(undefined);
    return this.state();
  }

  state(): KeySourceState {
    if (this.#known === undefined) return "none";
    const age = this.#deps.now() - this.#known.fetchedAt;
    if (age < FRESH_MS) return "fresh";
    return age < STALE_MS ? "stale" : "none";
  }

  async #renewIfOld(kid: string | undefined): Promise<boolean> {
    const state = this.state();
    if (state === "fresh") return false;
    // While the issuer hangs, one request finds out every 30 s and the others go on with the key they have.
    const canGoOn = state === "stale" && kid !== undefined && this.#known?.keys.has(kid) === true;
    if (this.#work.isRunning ? this.#isFailing && canGoOn : !this.#mayFetch()) return false;
    return this.#renew();
  }

  async #refetchForKid(): Promise<void> {
    if (!this.#work.isRunning) this.#spentAt = this.#deps.now();
    await this.#renew();
  }

  /** @returns whether there is a new set from the origin. */
  async #renew(): Promise<boolean> {
    try {
      return await this.#work.join(() => {
        const work = this.#load();
        this.#deps.waitUntil(work);
        return work;
      });
    } catch {
      return false; // lost with the request that had started it; whoever comes next starts again
    }
  }

  async #load(): Promise<boolean> {
    const before = this.#known === undefined ? await this.#loadCached() : undefined;
    this.#adopt(before);
    if (before !== undefined && this.state() === "fresh") return false;
    const startedAt = this.#deps.now();
    try {
      const jwks = await this.#fetchJwks();
      this.#adopt({ keys: await parseKeySet(jwks), fetchedAt: startedAt });
      this.#isFailing = false;
      this.#deps.waitUntil(this.#saveCached(jwks, startedAt));
      return true;
    } catch (cause) {
      this.#isFailing = true;
      this.#spentAt = this.#deps.now();
      this.#deps.onProblem(cause instanceof Error ? cause.message : "the key set could not be read");
      if (before === undefined) this.#adopt(await this.#loadCached());
      return false;
    }
  }

  async #fetchJwks(): Promise<unknown> {
    const response = await this.#deps.fetch(this.#deps.url, {
      headers: { accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the key set's address answered ${response.status}`);
    }
    return parseJson(await readText(response));
  }

  // Keys that stay keep their identity, so what was verified with them need not be verified again.
  #adopt(next: Known | undefined): void {
    if (next === undefined || next.fetchedAt < (this.#known?.fetchedAt ?? -Infinity)) return;
    const old = this.#known?.keys;
    const keys = [...next.keys.values()].map((key) => {
      const same = old?.get(key.kid);
      return [key.kid, same?.fingerprint === key.fingerprint ? same : key] as const;
    });
    this.#known = { keys: new Map(keys), fetchedAt: next.fetchedAt };
  }

  async #loadCached(): Promise<Known | undefined> {
    try {
      const entry = await within(CACHE_TIMEOUT_MS, this.#deps.cache.load(this.issuer));
      const age = entry === undefined ? STALE_MS : this.#deps.now() - entry.fetchedAt;
      if (entry === undefined || !(age >= 0 && age < STALE_MS)) return undefined;
      return { keys: await parseKeySet(entry.jwks), fetchedAt: entry.fetchedAt };
    } catch {
      return undefined; // the cache is a spare; the origin decides
    }
  }

  async #saveCached(jwks: unknown, fetchedAt: number): Promise<void> {
    try {
      await this.#deps.cache.save(this.issuer, { jwks, fetchedAt });
    } catch {
      this.#deps.onProblem("the last good key set could not be kept");
    }
  }

  #mayFetch(): boolean {
    return this.#deps.now() - this.#spentAt >= FETCH_EVERY_MS;
  }

  #unavailable(): ChatError {
    const waitMs = Math.max(1_000, this.#spentAt + FETCH_EVERY_MS - this.#deps.now());
    return new ChatError("auth_unavailable", { retryAfterMs: Math.min(waitMs, FETCH_EVERY_MS) });
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let size = 0;
  let text = "";
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new Error(`the key set has more than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
