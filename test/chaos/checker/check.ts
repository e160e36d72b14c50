import type { Entry } from "../history/entries.ts";
import type { Finding, Violation } from "./finding.ts";
import * as history from "./invariants/history.ts";
import * as keeping from "./invariants/keeping.ts";
import * as presence from "./invariants/presence.ts";
import * as sends from "./invariants/sends.ts";
import * as shown from "./invariants/shown.ts";
import { typingEnds } from "./invariants/typing.ts";
import * as views from "./invariants/views.ts";
import { Model } from "./model.ts";

/** Everything that must hold, by the name it has in reports. */
export const INVARIANTS = {
  "acked messages are in history": history.ackedIsKept,
  "a message sent again is there once": history.sentOnceIsKeptOnce,
  "seq is 1..head, one content each": history.orderHasNoGaps,
  "acks of one message agree": history.acksAgree,
  "history has what was just acked": history.pagesHoldWhatWasAcked,
  "every history was read": history.historyWasRead,
  "views are contiguous": views.viewsAreContiguous,
  "views are equal 30 s after healing": views.viewsAreEqual,
  "streams have no gap and no repeat": views.streamsAreUnbroken,
  "an app shows every message once": shown.appsShowEachOnce,
  "resume is whole or says it is not": views.resumeIsHonest,
  "slow readers are held back": views.slowReadersAreHeld,
  "nothing refused is visible": sends.refusedIsInvisible,
  "nothing is visible that nobody sent": sends.visibleWasSent,
  "one socket's sends keep their order": sends.sendsKeepTheirOrder,
  "presence equals the live sockets": presence.presenceIsTrue,
  "short reconnects are not seen": presence.reconnectsAreUnseen,
  "typing is never older than 6 s": typingEnds,
  "the outbox stays in its bounds": keeping.outboxStaysInBounds,
  "the outbox drains in order": keeping.outboxDrainsInOrder,
  "the outbox drains": keeping.outboxDrains,
  "other rooms' acks stay fast": sends.otherRoomsAreUnharmed,
  "the rooms stay under their memory bound": keeping.memoryStaysInBounds,
  "no 5xx other than 503": keeping.answersAreHonest,
  "no secret appears anywhere": keeping.secretsAreKept,
} as const satisfies Record<string, (model: Model) => Finding>;
export type InvariantName = keyof typeof INVARIANTS;
export const INVARIANT_NAMES = Object.keys(INVARIANTS) as InvariantName[]; // the keys of that very object

export interface Verdict {
  name: InvariantName;
  lookedAt: number;
  violations: Violation[];
}

/** Judges a history by every invariant. A pure function: all it knows is what was written down. */
export function judge(entries: readonly Entry[]): Verdict[] {
  const model = new Model(entries);
  return INVARIANT_NAMES.map((name) => {
    const { lookedAt, violations } = INVARIANTS[name](model);
    return { name, lookedAt, violations: violations.map((violation) => ({ invariant: name, ...violation })) };
  });
}

/** Everything that must never be and was. */
export function check(entries: readonly Entry[]): Violation[] {
  return judge(entries).flatMap(({ violations }) => violations);
}
