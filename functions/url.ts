/** The path and the query of an address exactly as they stand in it: ids are checked before any decoding. */
export interface RawUrl {
  path: string;
  query: string;
}

/** The path to find a route by. The router makes nothing of a slash at the end: such a path is no route's. */
export function pathOf({ url }: Request): string {
  const { path } = splitUrl(url);
  return path.endsWith("/") ? "/" : path;
}

/** The two parts of a whole address, as they were sent; a fragment is left out. */
export function splitUrl(url: string): RawUrl {
  const authority = url.indexOf("//");
  const pathAt = url.indexOf("/", authority === -1 ? 0 : authority + 2);
  if (pathAt === -1) return { path: "/", query: "" };
  const fragmentAt = url.indexOf("#", pathAt);
  const whole = url.slice(pathAt, fragmentAt === -1 ? undefined : fragmentAt);
  const queryAt = whole.indexOf("?");
  if (queryAt === -1) return { path: whole, query: "" };
  return { path: whole.slice(0, queryAt), query: whole.slice(queryAt + 1) };
}

/**
 * The segments of `path` that `pattern` names with `:name`. Of all escapes only those are undone that every client makes of
 * `@` and `|`, which stand in user ids; any other escape stays as it is, and so fits no id.
 */
export function readParams(pattern: string, path: string): Record<string, string> {
  const given = path.split("/");
  const params: Record<string, string> = {};
  for (const [at, segment] of pattern.split("/").entries())
    if (segment.startsWith(":"))
      params[segment.slice(1)] = (given[at] ?? "").replace(/%40/g, "@").replace(/%7c/gi, "|");
  return params;
}

/** The parameters of a query, undecoded: none of ours needs an escape. A name given twice is undefined in the answer. */
export function readQuery(query: string): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = at === -1 ? pair : pair.slice(0, at);
    found.set(name, found.has(name) ? undefined : at === -1 ? "" : pair.slice(at + 1));
  }
  return found;
}
