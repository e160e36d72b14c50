/** Numbers both sides share. Those that a deployment may change have the same name in `domain/config.ts`. */
export const LIMITS = {
  messageMaxCodePoints: 1000,
  messageMaxBytes: 4096,
  frameMaxBytes: 16 * 1024,
  /** Frames in one WebSocket message of a `chat.v1.lines` socket. */
  framesPerMessage: 64,
  /** What one socket may have answered in a minute, receipts apart; in a room at least this, and 20 times its messages. */
  answersPerMinute: 600,
  bodyMaxBytes: 32 * 1024,
  customMaxBytes: 2 * 1024,
  customMaxDepth: 4,
  customMaxKeys: 32,
  tokenMaxChars: 8 * 1024,
  nameMaxCodePoints: 100,
  urlMaxChars: 2048,
  jsonMaxDepth: 16,
  historyDefault: 50,
  historyMax: 200,
  membersPerCreate: 100,
  socketsPerUserPerRoom: 5,
  roomsPerSocket: 50,
  strikesPerSocket: 10,
  rosterFull: 200,
  /** What may be on its way to a reader without having been acknowledged. */
  unreadMaxEvents: 512,
  unreadMaxBytes: 1024 * 1024,
  /** What a room sends a client altogether that it does not hear of. */
  unheardMaxChars: 2 * 1024 * 1024,
  /** More changes of presence than this, told at once, are one frame. */
  presenceSingles: 3,
} as const;

export const TIMES = {
  authFrameMs: 5_000,
  tokenToleranceSeconds: 5,
  typingExpiresMs: 6_000,
  typingIntervalMs: 1_000,
  presenceGatherMs: 100,
  presenceGraceMs: 5_000,
  /** The others are told of one person's coming and going at most this often. */
  presenceIntervalMs: 1_000,
  frameGatherMs: 15,
  headsMs: 25_000,
  deadSocketMs: 45_000,
  /** How long a reader that is not pushed to any more may make no progress. */
  slowReaderMs: 30_000,
  expiryGraceMs: 30_000,
  /** Mistakes this far apart are not counted together. */
  strikesForgottenMs: 60_000,
  /** How long a gateway's socket may be in no room. */
  roomlessMs: 60_000,
} as const;

const utf8 = new TextEncoder();

/** Whether a frame's text is longer than frames may be. */
export function isFrameTooBig(text: string): boolean {
  if (text.length > LIMITS.frameMaxBytes) return true;
  // UTF-8 takes one to three bytes for a UTF-16 unit, so most texts need no counting.
  return text.length * 3 > LIMITS.frameMaxBytes && utf8.encode(text).length > LIMITS.frameMaxBytes;
}
