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
  /** As the route's id names it, or the type of a frame. */
  operation: string;
  /** The channel and the person that the request named. */
  channelId?: ChannelId | undefined;
  userId?: UserId | undefined;
  /** Nobody limits how often this is asked, so it is counted together whatever it names. */
  isUnlimited?: true;
}

interface RefusedRequestsDeps extends Pick<Deps, "now" | "waitUntil" | "log"> {
  store: Pick<Deps["store"], "writeAudit">;
}

/**
 * Notes in the audit log what callers who are known were refused. Of the same refusal in the same minute only the first,
 * the tenth, the hundredth and so on are noted, by each isolate that serves them.
 */
export class RefusedRequests {
  readonly #deps: RefusedRequestsDeps;
  readonly #counts = new BoundedMap<string, number>(COUNTED_MAX);

  constructor(deps: RefusedRequestsDeps) {
    this.#deps = deps;
  }

  note(caller: Caller, asked: Asked, { code }: Pick<ChatError, "code">, requestId: string): void {
    const { operation, channelId, userId, isUnlimited = code === "rate_limited" } = asked;
    if (!NOTED.has(ERRORS[code].status) && code !== "token_revoked") return;
    const at = this.#deps.now();
    const about = isUnlimited ? [operation] : [operation, channelId, userId];
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
