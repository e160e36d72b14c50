import type { RoomBatch } from "../../domain/ports/room-store.ts";
import type { Store } from "../../domain/ports/store.ts";
import { ChatError } from "../../protocol/errors.ts";
import { createMemoryStore } from "../support/memory-store.ts";

/** A store whose writes can be made to fail, hang or lose their answer, and that remembers what it was handed. */
export function createFlakyStore() {
  const memory = createMemoryStore();
  const batches: RoomBatch[] = [];
  const control = {
    batches,
    mode: "up" as "up" | "down" | "hanging" | "answer lost",
    most: 0,
    store: undefined as unknown as Store,
  };
  let running = 0;
  control.store = {
    ...memory,
    async writeBatch(batch) {
      batches.push(batch);
      control.most = Math.max(control.most, ++running);
      try {
        if (control.mode === "hanging") await new Promise(() => {});
        if (control.mode === "down") throw new ChatError("storage_unavailable");
        await memory.writeBatch(batch);
        if (control.mode === "answer lost") throw new ChatError("storage_unavailable");
      } finally {
        running--;
      }
    },
  };
  return control;
}
