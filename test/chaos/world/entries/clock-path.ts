/** Where an entry that was bundled for a chaos run lets its clock be set: `POST …?offsetMs=N`. */
export const CLOCK_PATH = "/chaos/clock";

/** What a request to set the clock wants; undefined for every other request. */
export function readOffset(request: { method: string; url: string }): number | undefined {
  const { pathname, searchParams } = new URL(request.url);
  if (request.method !== "POST" || !pathname.endsWith(CLOCK_PATH)) return undefined;
  return Number(searchParams.get("offsetMs"));
}
