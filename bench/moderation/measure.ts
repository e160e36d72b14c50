import words from "an-array-of-english-words" with { type: "json" };
import publicList from "naughty-words/en.json" with { type: "json" };
import { englishDataset, englishRecommendedTransformers, RegExpMatcher } from "obscenity";
import english from "../../db/moderation/english.json" with { type: "json" };
import { createFilter } from "../../domain/moderation/filter.ts";
import { createVocabulary } from "../../domain/moderation/vocabulary.ts";

/** The filter as a deployment has it that has set nothing. */
export const filter = createFilter(createVocabulary(english), { app: null, channel: null });
export const isFound = (text: string): boolean => filter.decide(text).verdict !== "pass";

/** Ways to write a word so that people read it and simple filters do not. */
export const DISGUISES: Readonly<Record<string, (word: string) => string>> = {
  "as it is": (word) => word,
  "in a sentence": (word) => `Well, you know: ${word}, and so on.`,
  "in capitals": (word) => word.toUpperCase(),
  "digits for letters": (word) => swap(word, { a: "4", e: "3", i: "1", o: "0", s: "5" }),
  "symbols for letters": (word) => swap(word, { a: "@", i: "!", s: "$" }),
  "Cyrillic look-alikes": (word) => swap(word, { a: "а", c: "с", e: "е", i: "і", o: "о", p: "р", x: "х", y: "у" }),
  "fullwidth letters": (word) => word.replace(/[a-z]/g, (unit) => String.fromCodePoint(unit.charCodeAt(0) + 0xfee0)),
  "zero-width spaces": (word) => [...word].join("\u200b"),
  accents: (word) => word.replace(/[aeiou]/g, "$&\u0301"),
  "letters apart": (word) =>
    word
      .split(" ")
      .map((part) => [...part].join(" "))
      .join("   "),
  "dots between": (word) =>
    word
      .split(" ")
      .map((part) => [...part].join("."))
      .join(" "),
  "a vowel held": (word) => word.replace(/[aeiou]/, "$&$&$&$&"),
};

export interface Recall {
  disguise: string;
  found: number;
  of: number;
}

/**
 * How much of a public list is found. Nothing was taken from that list, and it has much that this filter lets pass on
 * purpose: anatomy, mild oaths, words that only offend in a context.
 */
export function measureRecall(): Recall[] {
  return Object.entries(DISGUISES).map(([disguise, write]) => ({
    disguise,
    found: publicList.filter((word) => isFound(write(word))).length,
    of: publicList.length,
  }));
}

/** Of what is found undisguised, how much is found disguised. */
export function measureDisguises(): Recall[] {
  const plain = publicList.filter(isFound);
  return Object.entries(DISGUISES).map(([disguise, write]) => ({
    disguise,
    found: plain.filter((word) => isFound(write(word))).length,
    of: plain.length,
  }));
}

/** What obscenity finds of the same list by its own dataset. */
export function measureObscenity(): { found: number; of: number } {
  const matcher = new RegExpMatcher({ ...englishDataset.build(), ...englishRecommendedTransformers });
  return { found: publicList.filter((word) => matcher.hasMatch(word)).length, of: publicList.length };
}

/**
 * How much of a dictionary is found: an upper bound of false alarms, because the dictionary has every obscene word with
 * all its forms.
 */
export function measureAlarms(): { found: string[]; of: number } {
  return { found: words.filter(isFound), of: words.length };
}

function swap(word: string, units: Readonly<Record<string, string>>): string {
  return word.replace(/./gu, (unit) => units[unit] ?? unit);
}
