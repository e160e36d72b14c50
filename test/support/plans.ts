import type { ChannelStore } from "../../domain/ports/channels.ts";
import { ChannelId } from "../../protocol/ids.ts";
import { alice, APP } from "./memory-deps.ts";

export const PLANS = ChannelId.parse("plans");

/** An open channel of alice's. */
export async function createPlans(store: ChannelStore): Promise<void> {
  const channel = { app: APP, id: PLANS, type: "messaging", name: "Plans", createdBy: alice, custom: {} } as const;
  await store.createChannel({ ...channel, members: [] });
}
