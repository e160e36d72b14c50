import { LIMITS } from "../../protocol/limits.ts";

const ORDINARY =
  "Morning all! The build is green again, 2 of 3 reviews are in, and Dana's fix (see #4182) goes out @ 5pm. " +
  "I'd like to move Thursday's call to 10:30 if that's fine with everybody? Otherwise let's keep it as it is. ";
const MIXED = "Grüße aus Köln, до свидания, 你好世界, مرحبا, 🎉🎉 — naïve café déjà vu, ﬁne ½ ";

/** Ordinary messages of the longest kind there may be. */
export const MESSAGES: Readonly<Record<string, string>> = {
  "ordinary English": fill(ORDINARY, LIMITS.messageMaxCodePoints),
  "many languages": fill(MIXED, LIMITS.messageMaxCodePoints),
  "every tenth word found": fill("one two three four five six seven eight nine shit ", LIMITS.messageMaxCodePoints),
};

/** What somebody would send to make the filter slow: as much UTF-8 as a message may be. */
export const ATTACKS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    "one letter": "a",
    "one letter and a space": "a ",
    "spaced-out words": "f u c k ",
    "a word in a word": "fufufuckck",
    "nearly a word": "shishishif",
    "words without an end": "as",
    "digits for letters": "sh1t5 a55h0l3 ",
    "digits that read two ways": "1!|l",
    "one star in each": "f*ck b*tch ",
    stars: "f**k*",
    "repeated letters": "fuuuuck",
    "invisible signs": "f\u200bu\u200d",
    "letters of mathematics": "\u{1d58b}\u{1d59a}\u{1d588}\u{1d590}",
    "signs that unfold": "\ufdfa",
    accents: "f\u0301u\u0308",
    "allowed words": "scunthorpe ",
    "other scripts": "\u0444\u0443\u0441\u043a",
    emoji: "🖕🏿",
  }).map(([name, part]) => [name, fillBytes(part, LIMITS.messageMaxBytes)]),
);

function fill(text: string, codePoints: number): string {
  return [...text.repeat(Math.ceil(codePoints / [...text].length))].slice(0, codePoints).join("");
}

function fillBytes(text: string, bytes: number): string {
  return text.repeat(Math.floor(bytes / new TextEncoder().encode(text).length));
}
