import { BatchRefused } from "../../../domain/batch-refused.ts";
import type { RoomBatch } from "../../../domain/ports/room-store.ts";
import type { Store } from "../../../domain/ports/store.ts";
import { ChatError } from "../../../protocol/errors.ts";
import { createMemoryStore } from "../../support/memory-store.ts";

export type Mood = "up" | "down" | "answer lost" | "hanging" | "picky";

/** A store that fails in every way a database does. What hangs is written late, when the mood changes. */
export class UnreliableStore {
  mood: Mood = "up";
  readonly store: Store;
  readonly #memory = createMemoryStore();
  #hanging: (() => void)[] = [];

  constructor() {
    this.store = {
      ...this.#memory,
      writeBatch: (batch) => this.#write(batch),
      findByClientId: async (...question) => {
        if (this.mood === "down" || this.mood === "hanging") throw new ChatError("storage_unavailable");
        return this.#memory.findByClientId(...question);
      },
    };
  }

  turn(mood: Mood): void {
    this.mood = mood;
    const hanging = this.#hanging;
    this.#hanging = [];
    for (const goOn of hanging) goOn();
  }

  async #write(batch: RoomBatch): Promise<void> {
    const { mood } = this;
    if (mood === "down") throw new ChatError("storage_unavailable");
    if (mood === "hanging") await new Promise<void>((resolve) => this.#hanging.push(resolve));
    const poison = batch.events.filter(({ content }) => mood === "picky" && content === "poison");
    await this.#memory.writeBatch({ ...batch, events: batch.events.filter((event) => !poison.includes(event)) });
    if (mood === "answer lost") throw new ChatError("storage_unavailable");
    if (poison.length > 0) throw new BatchRefused(poison.map(({ seq }) => ({ seq, reason: "unstorable" })));
  }
}
