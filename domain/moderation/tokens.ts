/** A word of a folded text, as it stands there or as it can be read; its place is that of its units in the text. */
export interface Token {
  text: string;
  start: number;
  end: number;
}

/** Letters and what can stand for one. An apostrophe belongs to its word: "it's hit" has no word "s". */
const CHUNK = /[\p{L}\d@$!|+*(€£#'\u2019]+/gu;
const WORD = /\p{L}+(?:['\u2019]\p{L}+)*/gu;
const DISGUISE = /[^\p{L}'\u2019]/u;
const EDGES = /^[!|+*(£#€'\u2019]+|[!|+*(£#€'\u2019]+$/g;
const NUMBER = /^(?:[@$#£€]?\d+[a-z]{0,2}|[a-z]{1,2}\d+)$/;
const REPEATS = /(.)\1\1+/u;
const ALL_REPEATS = /(.)\1\1+/gu;
const LOOKS = new Map(
  [..."0o1i2z3e4a5s6g7t8b9g@a$s!i|i+t(c€e£l#h".matchAll(/(.)(.)/gu)].map(([, sign = "", letter = ""]) => [
    sign,
    letter,
  ]),
);
const TWO_LOOKS = /[1|!]/;
const VOWELS = ["a", "e", "i", "o", "u"];
/** Nobody reads more letters than these as one word that somebody spaced out. */
const SPACED_MAX = 40;
const GAP_MAX = 3;

export interface Tokens {
  /** The words as they stand, in order. */
  plain: Token[];
  /** What else some of them can be read as. */
  disguised: Token[];
  /** What those can be read as that have one letter starred out: only whole words are looked for in them. */
  starred: Token[];
}

/** Splits a folded text into words, and reads those that have digits, symbols or repeats in them in every way that makes sense. */
export function readTokens(text: string): Tokens {
  const tokens: Tokens = { plain: [], disguised: [], starred: [] };
  for (const { 0: chunk, index } of text.matchAll(CHUNK)) {
    if (!DISGUISE.test(chunk)) addWord(tokens, chunk, index);
    else {
      for (const { 0: word, index: at } of chunk.matchAll(WORD)) addWord(tokens, word, index + at);
      addDisguise(tokens, chunk, index);
    }
  }
  return tokens;
}

/** Runs of single letters with a little between them: "f u c k", "f.u.c.k". */
export function readSpaced(text: string, parts: readonly Token[]): Token[] {
  const found: Token[] = [];
  let run: Token[] = [];
  const close = () => {
    const [first] = run;
    if (first !== undefined && run.length > 2)
      found.push({ text: run.map((part) => part.text).join(""), start: first.start, end: run.at(-1)?.end ?? 0 });
    run = [];
  };
  for (const part of parts) {
    const last = run.at(-1);
    const follows =
      last === undefined || (part.start - last.end <= GAP_MAX && !text.slice(last.end, part.start).includes("\n"));
    if (part.text.length > 1 || !follows || run.length >= SPACED_MAX) close();
    if (part.text.length === 1) run.push(part);
  }
  close();
  return found;
}

function addWord({ plain, disguised }: Tokens, word: string, start: number): void {
  const text = word.replaceAll("\u2019", "'");
  const bare = text.endsWith("'s") ? text.slice(0, -2) : text;
  plain.push({ text: bare, start, end: start + bare.length });
  if (REPEATS.test(bare)) disguised.push(...withoutRepeats({ text: bare, start, end: start + word.length }));
}

function addDisguise({ disguised, starred }: Tokens, chunk: string, index: number): void {
  const trimmed = chunk.replace(EDGES, "");
  if (trimmed.length < 2 || !DISGUISE.test(trimmed) || NUMBER.test(trimmed)) return;
  const start = index + chunk.indexOf(trimmed);
  const end = start + trimmed.length;
  const stars = trimmed.split("*").length - 1;
  for (const text of readings(trimmed)) {
    if (stars === 0) disguised.push({ text, start, end }, ...withoutRepeats({ text, start, end }));
    else if (stars === 1) for (const vowel of VOWELS) starred.push({ text: text.replace("*", vowel), start, end });
  }
}

/** With each sign as the letter it looks like; some look like two. */
function readings(chunk: string): string[] {
  const readAs = (letter: string) =>
    Array.from(chunk, (unit) => (TWO_LOOKS.test(unit) ? letter : (LOOKS.get(unit) ?? unit))).join("");
  return TWO_LOOKS.test(chunk) ? [readAs("i"), readAs("l")] : [readAs("i")];
}

/** "fuuuck" is read with one "u" and with two. */
function withoutRepeats(token: Token): Token[] {
  if (!REPEATS.test(token.text)) return [];
  return ["$1", "$1$1"].map((kept) => ({ ...token, text: token.text.replace(ALL_REPEATS, kept) }));
}
