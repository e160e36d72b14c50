import { type ChatError, ERRORS } from "../protocol/errors.ts";
import { actorOf, auditEntry } from "./audit-entry.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Caller } from "./callers.ts";
import type { Deps } from "./deps.ts";

const MINUTE_MS = 60_000;
const COUNTED_MAX = 1_000;
const NOTED: ReadonlySet<number> = new Set([403, 404, 409]);

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

  /** @param operation What was asked for, as the route's id names it. */
  note(caller: Caller, operation: string, { code }: ChatError, requestId: string): void {
    if (!NOTED.has(ERRORS[code].status)) return;
    const at = this.#deps.now();
    const key = JSON.stringify([caller.app, actorOf(caller), operation, code, Math.floor(at / MINUTE_MS)]);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (!/^10*$/.test(String(count))) return;
    const detail = count === 1 ? code : `${code} x${count}`;
    const entry = auditEntry({ caller, requestId, at }, { action: "request.refuse", subject: operation, detail });
    this.#deps.waitUntil(
      this.#deps.store.writeAudit(caller.app, [entry]).catch((error: unknown) => {
        this.#deps.log({ event: "failure", requestId, route: operation, code: "storage_unavailable", error });
      }),
    );
  }
}
