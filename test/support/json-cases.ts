/** A name, and a text. */
type Case = readonly [what: string, text: string];

const ESCAPES = ["\\", "\\x41", "\\u12", "\\u{41}", "\\U0041", "\\a", "\\0", "\\'", "\\\u0000"];
const NUMBERS = [
  "01", "-01", "+1", "-", ".5", "1.", "1.e1", "1e", "1e+", "1e1.5", "0x1F", "0b1", "1_000", "1n", "Infinity", "-Infinity",
  "NaN", "-NaN", "1 000", "--1", "++1", "0e", "1E+-2", "１",
]; // prettier-ignore
const WORDS = ["nul", "nulll", "Null", "TRUE", "True", "tru", "undefined", "None", "nan", "false.", "a", "true false"];
const STRUCTURES = [
  "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1]]", "[1}", "{]", '{"a"}', '{"a":}', '{"a":1,}',
  '{,"a":1}', '{"a" 1}', '{"a":1 "b":2}', '{a:1}', "{'a':1}", "{1:1}", "{null:1}", '{"a":1}}', '{"a":1,,"b":2}', '{"a":1;"b":2}',
  '{"a":1}#', '{"a":1}// comment', '{"a":1}/**/', "/**/{}", "#{}", "<a>", "{}{}", "[][]", "{} {}", '"a" "b"', "1,2", ",", ":", "()",
  '[1:2]', '["a":1]', "{{}}", "[(1)]", "...",
]; // prettier-ignore
const STRINGS = ['"', '"a', 'a"', "'a'", "`a`", '"a\nb"', '"a\tb"', '"\u0000"', '"\u001f"', '"a"b"', '""" ', "“a”"];
const SPACES = [
  "",
  " ",
  "\n",
  "\t",
  "\u0000",
  "\ufeff",
  "\ufeff1",
  "\u00a01",
  "1\u00a0",
  "\u20281",
  "\u000b1",
  "\f1",
  "\u2060",
];

/** Texts of every kind that is not JSON, after the grammar in RFC 8259. */
export function badJson(): Case[] {
  return [
    ...ESCAPES.map((escape) => named("an escape", `"${escape}"`)),
    ...NUMBERS.map((number) => named("a number", number)),
    ...NUMBERS.map((number) => named("a number in a list", `[${number}]`)),
    ...WORDS.map((word) => named("a word", word)),
    ...STRUCTURES.map((structure) => named("a structure", structure)),
    ...STRINGS.map((text) => named("a string", text)),
    ...SPACES.map((space) => named("space", space)),
  ];
}

/** JSON by the grammar that programs disagree about, and whether we take it. */
export function hardJson(): (readonly [what: string, text: string, isTaken: boolean])[] {
  const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const cases: (readonly [what: string, text: string, isTaken: boolean])[] = [
    ["a number past all bounds", "1e400", false],
    ["a number below all bounds", "-1e400", false],
    ["a thousand nines", "9".repeat(1_000), false],
    ["such a number deep inside", '[{"a":[1e999]}]', false],
    ["the largest number there is", "1.7976931348623157e308", true],
    ["a number next to nothing", "1e-400", true],
    ["minus nothing", "-0", true],
    ["a number with a thousand digits behind the point", `0.${"1".repeat(1_000)}`, true],
    ["a number that cannot be told from its neighbour", "9007199254740993", true],
    ["an exponent with a thousand noughts", `1e${"0".repeat(1_000)}1`, true],
    ["a lone surrogate", '"\\ud800"', true],
    ["two surrogates the wrong way round", '"\\udc00\\ud800"', true],
    ["a lone surrogate as a key", '{"\\ud800":1}', false],
    ["a lone surrogate as a key deep inside", '[[{"a\\udfff":1}]]', false],
    ["a pair of surrogates as a key", '{"\\ud83d\\ude00":1}', true],
    ["an escaped NUL", '"\\u0000"', true],
    ["an escaped NUL as a key", '{"\\u0000":1}', true],
    ["a letter that is none", '"\uffff"', true],
    ["an empty key", '{"":1}', true],
    ["one key twice", '{"a":1,"a":2}', true],
    ["one key twice, escaped once", '{"a":1,"\\u0061":2}', true],
    ["__proto__", '{"__proto__":{"polluted":true}}', false],
    ["__proto__, escaped", '{"\\u005f_proto__":{"polluted":true}}', false],
    ["__proto__ in a list", '[{"a":{"__proto__":null}}]', false],
    ["constructor", '{"constructor":{"prototype":{"polluted":true}}}', false],
    ["prototype", '{"a":{"prototype":{"polluted":true}}}', false],
    ["names of an object's own", '{"toString":1,"hasOwnProperty":2,"valueOf":3}', true],
    ["a list of a thousand", `[${"1,".repeat(999)}1]`, true],
    ["16 levels", deep(16), true],
    ["17 levels", deep(17), false],
    ["levels in a text", JSON.stringify(deep(500)), true],
  ];
  return cases;
}

function named(what: string, text: string): Case {
  return [`${what} ${JSON.stringify(text)}`, text];
}
