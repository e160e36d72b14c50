const SHAPES: readonly [RegExp, string][] = [
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*/g, "[token]"],
  [/\bchatsdk_(?:live|test)_[A-Za-z0-9_-]+/g, "[api key]"],
  [/\b(?:sk|pk)_(?:live|test)_[A-Za-z0-9_-]+/g, "[api key]"],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>/@]*@[^\s"'<>]*/gi, "[address]"],
  [/\b(?:postgres(?:ql)?|rediss?):\/\/[^\s"'<>]+/gi, "[address]"],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+/gi, "$1 [token]"],
  [/([?&;\s](?:token|access_token|api_?key|password|secret|sig)=)[^\s&;"']+/gi, "$1[secret]"],
];
const MAX_CHARS = 2_000;
const LEAST_SECRET_CHARS = 6;

/**
 * Makes the function that every text passes on its way to a log: what looks like a token, a key or an address with
 * credentials is taken out, the given secrets wherever they stand, and the rest is cut and kept on one line.
 */
export function createRedactor(secrets: readonly (string | undefined)[]): (text: string) => string {
  const known = secrets.filter((secret) => secret !== undefined && secret.length >= LEAST_SECRET_CHARS) as string[];
  return (text) => {
    let safe = text;
    for (const secret of known) safe = safe.replaceAll(secret, "[secret]");
    for (const [shape, stand] of SHAPES) safe = safe.replace(shape, stand);
    // Line and direction characters would let a text pass for another line, or hide what it says.
    return safe.slice(0, MAX_CHARS).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
  };
}
