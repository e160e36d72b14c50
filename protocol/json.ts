import { LIMITS } from "./limits.ts";

/**
 * Parses JSON from outside: bounded depth, no `__proto__`, no key twice hidden from us (the last one wins, once, here).
 *
 * @returns undefined for anything that is not such JSON; callers answer with their own code.
 */
export function parseJson(text: string, maxDepth: number = LIMITS.jsonMaxDepth): unknown {
  if (isDeeper(text, maxDepth)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isSafe(value) ? value : undefined;
  } catch {
    return undefined; // not JSON
  }
}

// JSON.parse takes a million levels, and what it returns then breaks whoever walks it.
function isDeeper(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

function isSafe(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isSafe);
  return Object.entries(value).every(
    ([key, inner]) =>
      key !== "__proto__" && key !== "constructor" && key !== "prototype" && key.isWellFormed() && isSafe(inner),
  );
}
