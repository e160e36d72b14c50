/** A Markdown table. Bars inside cells are escaped, so that a type like `"a" | "b"` stays in its cell. */
export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A whole page of docs: its parts with an empty line between them, and a line break at the end. */
export function page(...parts: string[]): string {
  return `${parts.join("\n\n")}\n`;
}
