import * as z from "zod/mini";

// How the text of one environment variable is read, whatever it is a setting of.

export const bool = z.pipe(
  z.string(),
  z.transform((raw, ctx) => {
    const word = raw.trim().toLowerCase();
    if (["true", "1", "yes", "on"].includes(word)) return true;
    if (["false", "0", "no", "off", ""].includes(word)) return false;
    ctx.issues.push({ code: "custom", input: raw, message: "must be true or false" });
    return z.NEVER;
  }),
);
export const int = (min: number, max: number) =>
  z.pipe(
    z.string().check(z.regex(/^\s*\d{1,12}\s*$/, "must be a whole number")),
    z.pipe(
      z.transform((raw: string) => Number(raw)),
      z.number().check(z.gte(min, `must be at least ${min}`), z.lte(max, `must be at most ${max}`)),
    ),
  );
export const list = z.pipe(
  z.string(),
  z.transform((raw) =>
    raw
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  ),
);
export const url = (...schemes: string[]) =>
  z
    .string()
    .check(
      z.refine(
        (raw) => URL.canParse(raw) && schemes.includes(new URL(raw).protocol),
        `must be an address that starts with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`,
      ),
    );
export const secret = z.string().check(
  z.refine((raw) => new TextEncoder().encode(raw).length >= 32, "must have at least 32 bytes"),
  z.refine((raw) => !isPlaceholder(raw), "is a placeholder or too easy to guess"),
);
export const text = z.string().check(z.minLength(1), z.maxLength(512));
export const environment = z.pipe(
  z.pipe(
    z.string(),
    z.transform((raw) => raw.trim().toLowerCase()),
  ),
  z.enum(
    ["development", "test", "preview", "staging", "production"],
    "must be development, test, preview, staging or production",
  ),
);

// The words people leave in place of a secret, and the patterns that every list of JWT secrets is full of.
const PLACEHOLDER =
  /^(your|my|the|change|replace|insert|example|sample|placeholder|todo|xxx|secret|password|test|demo|dev)[\s_-][a-z]{2,}([\s_-]|\d*$)|changeme|change-me|placeholder|your[-_ ]?(256|jwt|secret|api|production)|^<.*>$|^(.)\4*$|^(.{1,8})\5+$|^(0123456789|1234567890|abcdefgh)/i;

function isPlaceholder(raw: string): boolean {
  return PLACEHOLDER.test(raw) || new Set(raw).size < 8 || isPhrase(raw);
}

// Sentences ("a-string-secret-at-least-256-bits-long") come from tutorials; half of a random text is never words.
function isPhrase(raw: string): boolean {
  const words = raw.split(/[\s_.,-]+/).filter((part) => /^(?:[a-z]+|[A-Z][a-z]*|[A-Z]+)$/.test(part));
  return words.length >= 3 && words.join("").length * 2 >= raw.length;
}
