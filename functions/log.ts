import { type Settings, SETTINGS } from "../domain/config.ts";
import type { Log, LogEvent } from "../domain/log.ts";
import { createRedactor } from "../domain/redact.ts";

/**
 * Writes one line of JSON per event. Requests and sockets only with `ENABLE_LOGGING`; bugs, problems and answers of
 * 500 and more always.
 *
 * @param write Takes the finished line.
 */
export function createLog(settings: Partial<Settings>, write: (line: string) => void): Log {
  const redact = createRedactor(secretsOf(settings));
  return (event) => {
    const isRoutine = event.event === "socket" || (event.event === "request" && event.status < 500);
    if (isRoutine && settings.ENABLE_LOGGING !== true) return;
    write(JSON.stringify(toEntry(event, redact)));
  };
}

function toEntry(event: LogEvent, redact: (text: string) => string): Record<string, unknown> {
  switch (event.event) {
    case "request":
      return { level: event.status < 500 ? "info" : "error", ...event };
    case "socket":
      return { level: "info", ...event, ...(event.userAgent !== undefined && { userAgent: redact(event.userAgent) }) };
    case "problem":
      return { level: "warn", ...event, reason: redact(event.reason) };
    case "bug":
    case "failure": {
      const { error, ...rest } = event;
      return { level: "error", ...rest, error: redact(describe(error)) };
    }
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return "something that is not an error was thrown";
  const cause = error.cause instanceof Error ? ` (${error.cause.name}: ${error.cause.message})` : "";
  return `${error.name}: ${error.message}${cause}\n${error.stack ?? ""}`;
}

function secretsOf(settings: Partial<Settings>): string[] {
  return Object.entries(SETTINGS).flatMap(([name, setting]) => {
    const value = "secret" in setting ? settings[name as keyof typeof SETTINGS] : undefined; // a name, by construction
    return typeof value === "string" ? [value] : [];
  });
}
