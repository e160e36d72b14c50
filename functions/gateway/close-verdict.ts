import { BANNED_EVERYWHERE, CLOSES, type CloseReason, type ErrorCode } from "../../protocol/errors.ts";

/** What a room's close means for the client whose socket is shared by many rooms. */
export type Verdict =
  /** The room, or the way to it, broke: join again from the last position. */
  | { kind: "rejoin" }
  /** The room has not heard of the client for long: if we have not either, it is gone. */
  | { kind: "silent" }
  /** This room will not have the user; the others are not concerned. */
  | { kind: "refused"; code: ErrorCode; detail?: string }
  /** It concerns the user or the client's whole socket. */
  | { kind: "end"; reason: CloseReason };

const VERDICTS: Partial<Record<CloseReason, Verdict>> = {
  resync: { kind: "silent" },
  token_expired: { kind: "end", reason: "token_expired" },
  // A reader that does not read this room reads none: joining again would only fill the queue of its socket.
  slow_consumer: { kind: "end", reason: "slow_consumer" },
  rate_limited: { kind: "end", reason: "rate_limited" },
  invalid_token: { kind: "end", reason: "invalid_token" },
  wrong_token_kind: { kind: "end", reason: "wrong_token_kind" },
  connection_limit: { kind: "end", reason: "connection_limit" },
  too_many_errors: { kind: "end", reason: "too_many_errors" },
  frame_too_big: { kind: "end", reason: "frame_too_big" },
  unsupported_data: { kind: "end", reason: "unsupported_data" },
  forbidden: { kind: "refused", code: "forbidden" },
  banned: { kind: "refused", code: "forbidden", detail: "You are banned from this channel" },
  room_not_found: { kind: "refused", code: "room_not_found" },
};

const REASONS = new Map<number, CloseReason>(
  Object.entries(CLOSES).map(([reason, code]) => [code, reason as CloseReason]), // the keys of that very object
);

/** Reads how a room has closed. Codes that say "stop" and are not known here stop this room only. */
export function closeVerdict(code: number, words = ""): Verdict {
  const reason = REASONS.get(code);
  if (reason === "banned" && words.endsWith(BANNED_EVERYWHERE)) return { kind: "end", reason };
  const known = reason === undefined ? undefined : VERDICTS[reason];
  if (known !== undefined) return known;
  return code >= 4500 && code < 5000 ? { kind: "refused", code: "internal" } : { kind: "rejoin" };
}
