import { createApiKey, createKeyRing, verifyApiKey } from "../domain/api-keys.ts";
import { AppId } from "../protocol/ids.ts";

const ROUNDS = 100_000;
/** What leakage tests by Welch's t take for proof of a difference. */
const MAX_T = 4.5;

/** Whether the time an answer takes tells how much of a wrong API key is right. */
export async function benchApiKeys(): Promise<void> {
  const { key, record } = await createApiKey(AppId.parse("bench"), "live", new Date());
  const ring = createKeyRing({ store: { findApiKey: async () => record }, environment: "test", now: () => 0 });
  const keys = {
    far: `${key.slice(0, -43)}${"0".repeat(43)}`,
    near: `${key.slice(0, -1)}${key.endsWith("0") ? 1 : 0}`,
  };
  const times: Record<keyof typeof keys, number[]> = { far: [], near: [] };
  for (let round = 0; round < ROUNDS; round++) {
    // Taken in a random order, so that whatever else the machine does falls on both.
    const which = Math.random() < 0.5 ? "far" : "near";
    const startedAt = performance.now();
    await verifyApiKey(ring, keys[which]).catch(() => undefined);
    times[which].push(performance.now() - startedAt);
  }
  const t = welchT(quickest(times.far), quickest(times.near));
  const text = "t of a key nearly right against one all wrong, 100,000 checks".padEnd(66);
  console.log(`${Math.abs(t) < MAX_T ? "reached" : "MISSED "}  ${text} ${t.toFixed(2)}  (within ±${MAX_T})`);
}

/** The lower nine tenths: what is above is the machine's, not ours. */
function quickest(times: number[]): number[] {
  return times.toSorted((a, b) => a - b).slice(0, Math.floor(times.length * 0.9));
}

function welchT(left: number[], right: number[]): number {
  const mean = (all: number[]): number => all.reduce((sum, time) => sum + time, 0) / all.length;
  const [leftMean, rightMean] = [mean(left), mean(right)];
  const variance = (all: number[], middle: number): number =>
    all.reduce((sum, time) => sum + (time - middle) ** 2, 0) / (all.length - 1) / all.length;
  return (leftMean - rightMean) / Math.sqrt(variance(left, leftMean) + variance(right, rightMean));
}
