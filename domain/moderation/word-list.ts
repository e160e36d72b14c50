import { fold } from "./fold.ts";
import { type Token, readTokens } from "./tokens.ts";

/** A place in a folded text. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Words and phrases to look for, as people write them: `word`, `two words`, `begin*`, `*end` and `*within*`. Case, accents
 * and look-alikes make no difference. Built once; looking costs by the text's length and hardly by the list's.
 */
export class WordList {
  readonly #words = new Set<string>();
  readonly #phrases = new Map<string, string[][]>();
  readonly #beginnings = new Lengths();
  readonly #endings = new Lengths();
  readonly #within: string[] = [];

  constructor(entries: Iterable<string>) {
    for (const entry of entries) this.#add(entry);
  }

  /** @param text What `tokens` were read from. */
  find(text: string, tokens: readonly Token[]): Span[] {
    const found: Span[] = [];
    for (const [at, token] of tokens.entries()) {
      if (this.hasWord(token.text)) found.push(token);
      const phrases = this.#phrases.get(token.text);
      if (phrases !== undefined) found.push(...findPhrases(phrases, tokens, at));
    }
    for (const part of this.#within) found.push(...findAll(text, part));
    return found;
  }

  /** Whether this one word is on the list. */
  hasWord(word: string): boolean {
    return this.#words.has(word) || this.#beginnings.hasStartOf(word) || this.#endings.hasEndOf(word);
  }

  /** Whether a part of this word is. */
  hasPart(word: string): boolean {
    return this.#within.some((part) => word.includes(part));
  }

  #add(entry: string): void {
    const trimmed = entry.trim();
    const [isOpenBefore, isOpenAfter] = [trimmed.startsWith("*"), trimmed.endsWith("*")];
    const text = fold(trimmed.replace(/^\*+|\*+$/g, "")).text.trim();
    if (text === "") return;
    if (isOpenBefore && isOpenAfter) this.#within.push(text);
    else if (isOpenAfter) this.#beginnings.add(text);
    else if (isOpenBefore) this.#endings.add(text);
    else this.#addWords(text);
  }

  #addWords(text: string): void {
    const [first, ...others] = readTokens(text).plain.map((token) => token.text);
    if (first === undefined || !/^[\p{L}\s'\u2019-]+$/u.test(text)) this.#within.push(text);
    else if (others.length === 0) this.#words.add(first);
    else this.#phrases.set(first, [...(this.#phrases.get(first) ?? []), others]);
  }
}

/** Texts by their length, so that whether one of them begins a word takes one look per length. */
class Lengths {
  readonly #texts = new Set<string>();
  readonly #lengths = new Set<number>();

  add(text: string): void {
    this.#texts.add(text);
    this.#lengths.add(text.length);
  }

  hasStartOf(word: string): boolean {
    return this.#some(word, (length) => word.slice(0, length));
  }

  hasEndOf(word: string): boolean {
    return this.#some(word, (length) => word.slice(-length));
  }

  #some(word: string, part: (length: number) => string): boolean {
    for (const length of this.#lengths) if (length <= word.length && this.#texts.has(part(length))) return true;
    return false;
  }
}

function findPhrases(phrases: readonly string[][], tokens: readonly Token[], at: number): Span[] {
  return phrases.flatMap((others) => {
    const isThere = others.every((word, offset) => tokens[at + 1 + offset]?.text === word);
    const [first, last] = [tokens[at], tokens[at + others.length]];
    return isThere && first !== undefined && last !== undefined ? [{ start: first.start, end: last.end }] : [];
  });
}

function findAll(text: string, part: string): Span[] {
  const found: Span[] = [];
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length))
    found.push({ start: at, end: at + part.length });
  return found;
}
