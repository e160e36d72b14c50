import { resolveConfusablesTransformer } from "obscenity";
import { BoundedMap } from "../bounded-map.ts";

/** A text as it reads: lower case, without accents or what cannot be seen, look-alikes as the letters they look like. */
export interface Folded {
  text: string;
  /** Where in the original each unit of `text` comes from: its first unit, and the one after its last. */
  starts: number[];
  ends: number[];
}

const CACHED_MAX = 4_096;
const EXPANSION_MAX = 4;
const INVISIBLE = /^[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]$/u;
const MARKS = /\p{M}/gu;
const ASCII = /^[\u0000-\u007f]*$/;

// A code point folds alike everywhere, and a conversation uses few of them.
const known = new BoundedMap<number, string>(CACHED_MAX);
const { transform: resolveConfusable } = resolveConfusablesTransformer();

/** Folds a text, remembering where everything was. */
export function fold(original: string): Folded {
  const folded: Folded = { text: "", starts: [], ends: [] };
  let at = 0;
  while (at < original.length) {
    const codePoint = original.codePointAt(at) ?? 0;
    const end = at + (codePoint > 0xffff ? 2 : 1);
    const letters = codePoint < 128 ? foldAscii(codePoint) : foldOther(codePoint);
    folded.text += letters;
    for (let unit = 0; unit < letters.length; unit++) {
      folded.starts.push(at);
      folded.ends.push(end);
    }
    at = end;
  }
  return folded;
}

function foldAscii(codePoint: number): string {
  return String.fromCharCode(codePoint >= 65 && codePoint <= 90 ? codePoint + 32 : codePoint);
}

function foldOther(codePoint: number): string {
  const cached = known.get(codePoint);
  if (cached !== undefined) return cached;
  const letters = resolve(String.fromCodePoint(codePoint));
  known.set(codePoint, letters);
  return letters;
}

function resolve(character: string): string {
  if (INVISIBLE.test(character)) return "";
  const plain = character.normalize("NFKD").replace(MARKS, "").toLowerCase();
  // One sign can stand for a whole sentence, and a message of those would be a book.
  if (plain.length > EXPANSION_MAX) return character;
  if (ASCII.test(plain)) return plain;
  const alike = resolveConfusable(character.codePointAt(0) ?? 0);
  return alike !== undefined && alike < 128 ? foldAscii(alike) : plain;
}
