/** Whether two JSON values say the same; the order of keys says nothing. */
export function isSameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const ours = new Map(Object.entries(left));
  const theirs = new Map(Object.entries(right));
  if (ours.size !== theirs.size) return false;
  return [...ours].every(([key, value]) => theirs.has(key) && isSameJson(value, theirs.get(key)));
}
