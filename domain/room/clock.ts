/**
 * When something that was planned is due. It never was planned further ahead than `longestMs`, so if it is now, the clock
 * has been set back, and nobody is to wait for as long as that.
 */
export function dueAt(plannedAt: number, now: number, longestMs: number): number {
  return plannedAt > now + longestMs ? now : plannedAt;
}
