import { type ChatError, ERRORS } from "../protocol/errors.ts";
import type { ChannelId, UserId } from "../protocol/ids.ts";
import { actorOf, auditEntry } from "./audit-entry.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Caller } from "./callers.ts";
import type { Deps } from "./deps.ts";

const MINUTE_MS = 60_000;
const COUNTED_MAX = 1_000;
const NOTED: ReadonlySet<number> = new Set([403, 404, 409, 429]);

/** What a request was for. */
export interface Asked {
  /** As the route's id names it. */
  operation: string;
  /** The channel and the person that the request named. */
  channelId?: ChannelId | undefined;
  userId?: UserId | undefined;
}

/**
 * Notes in the audit log what callers who are known were refused. Of the same refusal in the same minute only the first,
 * the tenth, the hundredth and so on are noted, by each isolate that serves them.
 */
export class RefusedRequests {
  readonly #deps: Pick<Deps, "store" | "now" | "waitUntil" | "log">;
  readonly #counts = new BoundedMap<string, number>(COUNTED_MAX);

  constructor(deps: Pick<Deps, "store" | "now" | "waitUntil" | "log">) {
    this.#deps = deps;
  }

  note(caller: Caller, { operation, channelId, userId }: Asked, { code }: ChatError, requestId: string): void {
    if (!NOTED.has(ERRORS[code].status) && code !== "token_revoked") return;
    const at = this.#deps.now();
    // Nobody limits those who are over the limit, whatever they go on to name.
    const about = code === "rate_limited" ? [operation] : [operation, channelId, userId];
    const key = JSON.stringify([caller.app, actorOf(caller), ...about, code, Math.floor(at / MINUTE_MS)]);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (!/^10*$/.test(String(count))) return;
    const detail = `${operation} ${code}${count === 1 ? "" : ` x${count}`}`;
    const did = { action: "request.refuse", channelId, subject: userId ?? channelId, detail } as const;
    const entry = auditEntry({ caller, requestId, at }, did);
    this.#deps.waitUntil(
      this.#deps.store.writeAudit(caller.app, [entry]).catch((error: unknown) => {
        this.#deps.log({ event: "failure", requestId, route: operation, code: "storage_unavailable", error });
      }),
    );
  }
}
