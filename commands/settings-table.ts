import { SETTINGS, type SettingName, type Variables } from "../domain/config.ts";
import { SETTING_NOTES, type SettingNote } from "../domain/setting-notes.ts";

/** One setting as a person may see it. */
export interface SettingRow {
  name: SettingName;
  /** Safe to show: a secret is only measured. */
  shown: string;
  /** The variable it was read from, or that nobody set it. */
  from: string;
  secret: boolean;
}

/** What every setting says of itself, whichever of the optional parts it has. */
export interface Description extends SettingNote {
  aliases?: readonly string[];
  byDefault?: string;
  secret?: boolean;
}

/** What is known of a setting: how it is read, and the words about it. */
export function describeSetting(name: SettingName): Description {
  return { ...SETTINGS[name], ...SETTING_NOTES[name] };
}

/** The text of a setting as it stands in the environment, and under which name. */
export function findRaw(variables: Variables, name: SettingName): { key: string; raw: string } | undefined {
  const setting = describeSetting(name);
  for (const key of [name, ...(setting.aliases ?? [])]) {
    const raw = variables[key];
    if (typeof raw === "string" && raw.trim() !== "") return { key, raw: raw.trim() };
  }
  return undefined;
}

/** Every setting with where it comes from, safe to print: no secret, and nothing that contains one. */
export function listSettings(variables: Variables): SettingRow[] {
  const names = Object.keys(SETTINGS) as SettingName[]; // the keys of the object itself
  const secrets = names.filter(isSecret).flatMap((name) => findRaw(variables, name)?.raw ?? []);
  return names.map((name) => {
    const secret = isSecret(name);
    const found = findRaw(variables, name);
    if (found === undefined) return { name, secret, ...withoutValue(name) };
    const from = found.key === name ? "set" : `from ${found.key}`;
    return { name, secret, from, shown: secret ? measure(found.raw) : mask(found.raw, secrets) };
  });
}

function isSecret(name: SettingName): boolean {
  return describeSetting(name).secret === true;
}

function withoutValue(name: SettingName): { shown: string; from: string } {
  const { byDefault } = describeSetting(name);
  return byDefault === undefined ? { shown: "-", from: "not set" } : { shown: byDefault, from: "default" };
}

function measure(raw: string): string {
  return `set, ${new TextEncoder().encode(raw).length} bytes`;
}

// Addresses may carry a password, and people paste secrets into the wrong line.
function mask(raw: string, secrets: string[]): string {
  if (secrets.some((secret) => raw.includes(secret))) return `${measure(raw)} (contains a secret)`;
  if (/[\r\n]/.test(raw) || raw.length > 200) return measure(raw);
  if (!URL.canParse(raw)) return looksSecret(raw) ? measure(raw) : raw;
  const url = new URL(raw);
  if (url.username === "" && url.password === "" && url.search === "") return raw;
  return `${url.protocol}//${url.host}${url.pathname} (with credentials)`;
}

function looksSecret(raw: string): boolean {
  return /^(sk_|chatsdk_|eyJ)|[A-Za-z0-9+/_=-]{40,}/.test(raw);
}
