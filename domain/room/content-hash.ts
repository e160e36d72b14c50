/**
 * A 53-bit number that stands for a text, computed at once: a message may not wait for an asynchronous digest. It only
 * tells a retry from a mistake of the same client, so that somebody can look for a collision gains nothing from one.
 */
export function contentHash(text: string): number {
  const [high, low] = hashPair(text);
  return 4294967296 * (2097151 & low) + high;
}

/** Two numbers of 32 bits, computed at once. Another seed gives others. */
export function hashPair(text: string, seed = 0): [number, number] {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return [high >>> 0, low >>> 0];
}
