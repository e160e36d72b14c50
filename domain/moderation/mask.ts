import type { Folded } from "./fold.ts";
import type { Span } from "./word-list.ts";

const HIDDEN = /[^\s]/gu;
const WORD_UNIT = /[\p{L}\d]/u;

/** The original text with what was found, and the words it is part of, written as stars: never longer than it was. */
export function maskSpans(original: string, folded: Folded, spans: readonly Span[]): string {
  let masked = "";
  let done = 0;
  for (const { start, end } of wholeWords(folded.text, spans)) {
    const from = Math.max(folded.starts[start] ?? 0, done); // one sign can be the end of a word and the start of the next
    const to = folded.ends[end - 1] ?? original.length;
    if (to <= done) continue;
    masked += original.slice(done, from) + original.slice(from, to).replace(HIDDEN, "*");
    done = to;
  }
  return masked + original.slice(done);
}

/** Each word is walked through once, however much was found in it. */
function wholeWords(text: string, spans: readonly Span[]): Span[] {
  const words: Span[] = [];
  let done = 0;
  for (const { start, end } of spans.toSorted((one, other) => one.start - other.start)) {
    if (end <= done) continue;
    let [from, to] = [Math.max(start, done), end];
    while (from > done && WORD_UNIT.test(text[from - 1] ?? "")) from--;
    while (to < text.length && WORD_UNIT.test(text[to] ?? "")) to++;
    words.push({ start: from, end: to });
    done = to;
  }
  return words;
}
