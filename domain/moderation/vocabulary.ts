import {
  assignIncrementingIds,
  collapseDuplicatesTransformer,
  DataSet,
  englishDataset,
  parseRawPattern,
  RegExpMatcher,
} from "obscenity";
import { type Span, WordList } from "./word-list.ts";

/** The filter's own data, as `db/moderation/english.json` holds it. */
export interface WordData {
  /** Found also inside of other words, however letters are repeated; in obscenity's pattern language. */
  anywhere: readonly string[];
  /** Whole words, with their plural. */
  nouns: readonly string[];
  /** Whole words, with the endings of verbs. */
  verbs: readonly string[];
  /** Whole words and phrases just as they are; `begin*` and `*end` too. */
  exact: readonly string[];
  /** Words of which one or two parts may stand alone: "fu ck". */
  splittable: readonly string[];
  /** Words and phrases that only look like the others. */
  allowed: readonly string[];
  /** Words that are also people's names: not found where they are written as one, "Dick". */
  names: readonly string[];
}

/** What to look for, prepared once and the same for every room. */
export interface Vocabulary {
  patterns: { find(text: string): Span[] };
  words: WordList;
  splittable: ReadonlySet<string>;
  allowed: WordList;
  names: ReadonlySet<string>;
}

// Letters that English doubles, and that the patterns below therefore spell out.
const DOUBLED = new Map(["b", "e", "o", "l", "s", "g"].map((letter) => [letter, 2]));

/** Words of obscenity's own dataset whose patterns take ordinary words with them ("traffick", "annals", "assort"); ours stand in. */
const TOO_WIDE: ReadonlySet<string> = new Set(
  "abo anal anus arse ass bestiality boob chink cock cum cunt dick fuck negro piss porn rape retard scat sex shit tit turd vagina".split(
    " ",
  ),
);
const SINGLE = /([acdfhijkmnp-rt-z])\1+/g;

/** Prepares the data; tens of milliseconds, so once per process. */
export function createVocabulary(data: WordData): Vocabulary {
  return {
    patterns: createPatterns(data),
    words: new WordList([...data.nouns.flatMap(withPlural), ...data.verbs.flatMap(withEndings), ...data.exact]),
    splittable: new Set(data.splittable),
    allowed: new WordList(data.allowed),
    names: new Set(data.names),
  };
}

function createPatterns({ anywhere }: WordData): Vocabulary["patterns"] {
  const dataset = new DataSet<{ originalWord: string }>()
    .addAll(englishDataset)
    .removePhrasesIf(({ metadata }) => TOO_WIDE.has(metadata?.originalWord ?? ""))
    .build();
  const own = anywhere.map((pattern) => parseRawPattern(pattern.replace(SINGLE, "$1")));
  const matcher = new RegExpMatcher({
    blacklistedTerms: assignIncrementingIds([...dataset.blacklistedTerms.map(({ pattern }) => pattern), ...own]),
    whitelistedTerms: dataset.whitelistedTerms ?? [],
    blacklistMatcherTransformers: [collapseDuplicatesTransformer({ defaultThreshold: 1, customThresholds: DOUBLED })],
  });
  return {
    find: (text) =>
      matcher.getAllMatches(text).map(({ startIndex, endIndex }) => ({ start: startIndex, end: endIndex + 1 })),
  };
}

function withPlural(noun: string): string[] {
  const last = /(?:s|x|z|ch|sh)$/.test(noun)
    ? `${noun}es`
    : /[^aeiou]y$/.test(noun)
      ? `${noun.slice(0, -1)}ies`
      : `${noun}s`;
  return [noun, last, `${noun}z`];
}

function withEndings(verb: string): string[] {
  const stem = verb.endsWith("e") ? verb.slice(0, -1) : verb;
  const doubled = /[^aeiou][aeiou][bdgkmnprt]$/.test(verb) ? stem + stem.slice(-1) : stem;
  return [
    ...withPlural(verb),
    ...["ed", "er", "ers", "ing", "in", "ings"].flatMap((ending) => [stem + ending, doubled + ending]),
  ];
}
