import type { HealthReply } from "../../protocol/http.ts";
import { ask } from "../session/request.ts";

export type Check = HealthReply["checks"][number];
export type Health = {
  status: HealthReply["status"] | "unreachable";
  checks: Check[];
  roundTripMs: number | undefined;
};

const UNREACHABLE: Health = { status: "unreachable", checks: [], roundTripMs: undefined };

/** How the deployment says it is, and how long it took to say that it is alive. */
export async function askHealth(signal: AbortSignal): Promise<Health> {
  try {
    const startedAt = performance.now();
    await ask("/healthz", { signal });
    const roundTripMs = performance.now() - startedAt;
    const { reply } = await ask("/api/chat/health", { signal });
    return isHealth(reply) ? { status: reply.status, checks: reply.checks, roundTripMs } : UNREACHABLE;
  } catch {
    // That is what there is to show.
    return UNREACHABLE;
  }
}

function isHealth(reply: unknown): reply is HealthReply {
  return (
    typeof reply === "object" && reply !== null && "status" in reply && "checks" in reply && Array.isArray(reply.checks)
  );
}
