import * as z from "zod/mini";
import { createFilter, type Filter, type ModerationLists, NO_FILTER } from "../domain/moderation/filter.ts";
import type { Vocabulary } from "../domain/moderation/vocabulary.ts";
import type { ModerationStore } from "../domain/ports/moderation.ts";
import { isSameJson } from "../domain/same-json.ts";
import { ModerationSettings } from "../protocol/http.ts";
import type { Durable } from "./durable.ts";
import { KEYS, type RoomIdentity } from "./kept.ts";
import type { RoomLogger } from "./log.ts";

/** How old the lists may be before somebody looks for newer ones. */
const FRESH_MS = 60_000;
const NOTHING_SET: ModerationLists = { app: null, channel: null };

const KeptLists = z.nullable(ModerationSettings);
const ReadAt = z.number();

export interface ModerationDeps {
  /** Undefined where `ENABLE_MODERATION` is not set. */
  vocabulary: Vocabulary | undefined;
  store: Pick<ModerationStore, "findModeration">;
  durable: Durable;
  now: () => number;
  log: RoomLogger;
}

/**
 * The room's content filter. It decides from memory; the lists of the app and the channel are kept in the room's storage
 * and read again in the background, so a message never waits for them and Postgres may be away.
 */
export class Moderation {
  readonly #deps: ModerationDeps;
  #identity: RoomIdentity | undefined;
  #filter: Filter = NO_FILTER;
  #lists: ModerationLists | undefined;
  #triedAt = 0;
  #reading: Promise<void> | undefined;

  constructor(deps: ModerationDeps) {
    this.#deps = deps;
  }

  /** Takes up the lists as they were kept. */
  async load(identity: RoomIdentity): Promise<void> {
    const { vocabulary, durable } = this.#deps;
    this.#identity = identity;
    if (vocabulary === undefined) return;
    const { moderationReadAt, moderationTriedAt, appLists, channelLists } = KEYS;
    const kept = await durable.storage.get([moderationReadAt, moderationTriedAt, appLists, channelLists]);
    const readAt = ReadAt.safeParse(kept.get(moderationReadAt));
    this.#triedAt = ReadAt.safeParse(kept.get(moderationTriedAt)).data ?? 0;
    if (!readAt.success) return this.#use(NOTHING_SET);
    this.#triedAt = Math.max(this.#triedAt, readAt.data);
    this.#lists = {
      app: KeptLists.parse(kept.get(appLists) ?? null),
      channel: KeptLists.parse(kept.get(channelLists) ?? null),
    };
    this.#use(this.#lists);
  }

  /** Waits for the first lists of the room's life; for later ones nobody waits. Never rejects. */
  async ready(): Promise<void> {
    if (this.#lists === undefined && this.#isDue()) await this.#refresh();
  }

  /** The filter as it is now. Being asked for it is what keeps its lists fresh. */
  filter(): Filter {
    if (this.#isDue()) void this.#refresh();
    return this.#filter;
  }

  /** Reads the lists anew, at once. Never rejects. */
  async changed(): Promise<void> {
    await this.#reading; // what is being read may be what was there before
    if (this.#deps.vocabulary !== undefined) await this.#refresh();
  }

  #isDue(): boolean {
    const age = this.#deps.now() - this.#triedAt;
    return this.#deps.vocabulary !== undefined && (age >= FRESH_MS || age < 0);
  }

  /** Reads the lists from Postgres; without it those that are known go on. Never rejects. */
  #refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { store, now, log } = this.#deps;
    const identity = this.#identity;
    if (identity === undefined) return;
    this.#triedAt = now();
    try {
      this.#keep(await store.findModeration(identity.app, identity.channelId));
    } catch (error) {
      // So that a room that sleeps and wakes again does not keep everybody waiting for what cannot be read.
      this.#deps.durable.keep({ [KEYS.moderationTriedAt]: this.#triedAt });
      log.error("moderation_not_read", error);
    }
  }

  #keep(lists: ModerationLists): void {
    const { durable } = this.#deps;
    durable.keep({ [KEYS.moderationReadAt]: this.#triedAt });
    if (isSameJson(lists, this.#lists)) return;
    durable.keep({ [KEYS.appLists]: lists.app, [KEYS.channelLists]: lists.channel });
    this.#lists = lists;
    this.#use(lists);
  }

  #use(lists: ModerationLists): void {
    if (this.#deps.vocabulary !== undefined) this.#filter = createFilter(this.#deps.vocabulary, lists);
  }
}
