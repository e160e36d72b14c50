import { THEMES, type Theme, useTheme } from "./theme.ts";

const WORDS = { system: "As the device", light: "Light", dark: "Dark" } as const satisfies Record<Theme, string>;

/** Three radio buttons that look like one switch. */
export function ThemeSwitch() {
  const { theme, setTheme } = useTheme();
  return (
    <fieldset className="switch">
      <legend className="unseen">Colours</legend>
      {THEMES.map((name) => (
        <label key={name} title={WORDS[name]}>
          <input type="radio" name="theme" checked={theme === name} onChange={() => setTheme(name)} />
          <span className={`icon icon-${name}`} aria-hidden="true" />
          <span className="unseen">{WORDS[name]}</span>
        </label>
      ))}
    </fieldset>
  );
}
