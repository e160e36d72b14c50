import type { ModerationRecord } from "../ports/moderation.ts";
import { fold, type Folded } from "./fold.ts";
import { maskSpans } from "./mask.ts";
import { readSpaced, readTokens, type Token, type Tokens } from "./tokens.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { type Span, WordList } from "./word-list.ts";

/** What an app and one of its channels have set; null where they have set nothing. */
export interface ModerationLists {
  app: ModerationRecord | null;
  channel: ModerationRecord | null;
}

export interface Verdict {
  verdict: "pass" | "flag" | "mask" | "block";
  /** What may be kept: the content as it came, unless it is masked. */
  content: string;
}

/** Decides at once and from memory, and says the same about the same text every time. */
export interface Filter {
  decide(content: string): Verdict;
  /** A name as it may be shown: masked where the channel masks or blocks, because a name cannot be refused any more. */
  showName(name: string): string;
}

/** What a room has that moderates nothing. */
export const NO_FILTER: Filter = { decide: (content) => ({ verdict: "pass", content }), showName: (name) => name };

/** How strict a deployment is that has asked for moderation and set nothing else. */
const DEFAULT_MODE: ModerationRecord["mode"] = "block";
/** A word of which parts stand alone has at most these many. */
const PARTS_MAX = 4;
const JOINED_MAX = 16;
const CAPITALIZED = /^\p{Lu}\p{Ll}+$/u;

/** The filter for one channel: the channel's mode wins over the app's, and the block lists of both add up. */
export function createFilter(vocabulary: Vocabulary, { app, channel }: ModerationLists): Filter {
  const mode = channel?.mode ?? app?.mode ?? DEFAULT_MODE;
  if (mode === "off") return NO_FILTER;
  const lists = {
    blocked: new WordList([...(app?.blocked ?? []), ...(channel?.blocked ?? [])]),
    allowed: new WordList([...(app?.allowed ?? []), ...(channel?.allowed ?? [])]),
  };
  const maskFound = (content: string): string | undefined => {
    const folded = fold(content);
    const spans = findSpans(vocabulary, lists, content, folded);
    return spans.length === 0 ? undefined : maskSpans(content, folded, spans);
  };
  return {
    decide(content) {
      const masked = maskFound(content);
      if (masked === undefined) return { verdict: "pass", content };
      return { verdict: mode, content: mode === "mask" ? masked : content };
    },
    showName: (name) => (mode === "flag" ? name : (maskFound(name) ?? name)),
  };
}

interface OwnLists {
  blocked: WordList;
  allowed: WordList;
}

/** Who has blocked a word means it, so `allowed` takes back only what the vocabulary finds. */
function findSpans(vocabulary: Vocabulary, { blocked, allowed }: OwnLists, content: string, folded: Folded): Span[] {
  const { text } = folded;
  const tokens = readTokens(text);
  tokens.disguised.push(...readSpaced(text, tokens.plain));
  const found = findVocabulary(vocabulary, text, tokens);
  const excused =
    found.length === 0 ? [] : [vocabulary.allowed, allowed].flatMap((list) => list.find(text, tokens.plain));
  return [
    ...found
      .filter((span) => !excused.some((other) => other.start <= span.start && span.end <= other.end))
      .filter((span) => !isName(vocabulary, content, folded, span)),
    ...blocked.find(text, tokens.plain),
    ...tokens.disguised.filter(({ text: read }) => blocked.hasWord(read) || blocked.hasPart(read)),
    ...tokens.starred.filter(({ text: read }) => blocked.hasWord(read)),
  ];
}

/** A word that is also a name, and is written as one. */
function isName({ names }: Vocabulary, content: string, { text, starts, ends }: Folded, { start, end }: Span): boolean {
  if (!names.has(text.slice(start, end))) return false;
  return CAPITALIZED.test(content.slice(starts[start], ends[end - 1]));
}

function findVocabulary(
  { patterns, words, splittable }: Vocabulary,
  text: string,
  { plain, disguised, starred }: Tokens,
): Span[] {
  return [
    ...patterns.find(text),
    ...words.find(text, plain),
    ...disguised.filter((token) => words.hasWord(token.text)),
    ...starred.filter((token) => words.hasWord(token.text) || splittable.has(token.text)),
    ...findInDisguised(patterns, disguised),
    ...findSplit(splittable, text, plain),
  ];
}

/** All readings are looked at as one text, with a line for each. */
function findInDisguised(patterns: Vocabulary["patterns"], disguised: readonly Token[]): Span[] {
  const readings = new Map<string, Token[]>();
  for (const token of disguised) {
    const alike = readings.get(token.text);
    if (alike === undefined) readings.set(token.text, [token]);
    else alike.push(token);
  }
  if (readings.size === 0) return [];
  const owners: Token[][] = [];
  let text = "";
  for (const [reading, tokens] of readings) {
    text += `${reading}\n`;
    while (owners.length < text.length) owners.push(tokens);
  }
  return patterns.find(text).flatMap(({ start }) => owners[start] ?? []);
}

/** "fu ck", "sh.it": neighbours with one sign between them. */
function findSplit(splittable: ReadonlySet<string>, text: string, plain: readonly Token[]): Span[] {
  const found: Span[] = [];
  for (let at = 0; at < plain.length; at++) {
    let joined = "";
    for (let next = at; next < Math.min(plain.length, at + PARTS_MAX); next++) {
      const [part, before] = [plain[next], plain[next - 1]];
      if (part === undefined || (next > at && part.start - (before?.end ?? 0) !== 1)) break;
      joined += part.text;
      if (joined.length > JOINED_MAX) break;
      if (next > at && splittable.has(joined)) found.push({ start: plain[at]?.start ?? 0, end: part.end });
    }
  }
  return found;
}
