/** Names of things that happen in a room, for whoever reads the logs. */
export interface RoomLogger {
  /** Only with `ENABLE_LOGGING`. Facts are ids, codes and numbers: never content, names or tokens. */
  note(event: string, facts?: Record<string, string | number | boolean | undefined>): void;
  /** Always. The error's own text stays out: it may quote what a user wrote. */
  error(event: string, error: unknown, facts?: Record<string, string | number | boolean | undefined>): void;
}

const MAX_FACT_CHARS = 200;

/** @param enabled Whether what is routine is written too; errors always are. */
export function createRoomLogger(enabled: boolean, write: (line: string) => void): RoomLogger {
  return {
    note(event, facts = {}) {
      if (enabled) write(toLine("info", event, facts));
    },
    error(event, error, facts = {}) {
      write(toLine("error", event, { ...facts, error: nameOf(error) }));
    },
  };
}

// JSON escapes line ends and control characters, so a line is always one line.
function toLine(level: string, event: string, facts: Record<string, unknown>): string {
  return JSON.stringify({ level, event, ...facts }, (_key, value: unknown) =>
    typeof value === "string" ? value.slice(0, MAX_FACT_CHARS) : value,
  );
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : "";
  return `${error.name}${code} ${whereOf(error)}`.trim();
}

// A stack begins with the message, which may have lines that look like the stack's own.
function whereOf({ stack = "", message }: Error): string {
  const from = stack.indexOf(message);
  if (from === -1) return "";
  const lines = stack.slice(from + message.length).split("\n");
  return lines.find((line) => line.trim().startsWith("at "))?.trim() ?? "";
}
