import { type SettingName, SETTINGS, type Variables } from "../domain/config.ts";

/**
 * The settings the Worker and the rooms start with: the local stack's own, except where the environment names one, by
 * any of its names. `NODE_ENV` is left out: shells set it for other programs.
 */
export function overlaySettings(
  own: Partial<Record<SettingName, string>>,
  environment: Variables,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const given = namesOf(name).flatMap((key): [string, string][] => {
      const value = environment[key];
      return typeof value === "string" && value.trim() !== "" ? [[key, value.trim()]] : [];
    });
    const value = own[name];
    if (given.length > 0) Object.assign(result, Object.fromEntries(given));
    else if (value !== undefined) result[name] = value;
  }
  return result;
}

/** One setting's value in the environment, by any of its names. */
export function findSetting(environment: Variables, name: SettingName): string | undefined {
  const values = namesOf(name).map((key) => environment[key]);
  return values.find((value): value is string => typeof value === "string" && value.trim() !== "")?.trim();
}

function namesOf(name: SettingName): string[] {
  const setting: { schema: unknown; aliases?: readonly string[] } = SETTINGS[name];
  return [name, ...(setting.aliases ?? [])].filter((key) => key !== "NODE_ENV");
}
