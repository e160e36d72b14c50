const HUES = 8;

/** A round mark with a person's initial, in a colour that is always the same for them. */
export function Avatar({ userId, name, isSmall = false }: { userId: string; name: string; isSmall?: boolean }) {
  let hue = 0;
  for (const letter of userId) hue = (hue * 31 + (letter.codePointAt(0) ?? 0)) % HUES;
  const [initial = "?"] = name.trim();
  return (
    <span className={`avatar hue-${hue}${isSmall ? " small" : ""}`} aria-hidden="true">
      {initial.toUpperCase()}
    </span>
  );
}
