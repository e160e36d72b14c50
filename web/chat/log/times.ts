const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const longCalendar = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** The hour and minute of a moment in ISO 8601. */
export function clockTime(timestamp: string): string {
  return clock.format(new Date(timestamp));
}

/** "Today", "Yesterday", or the date. */
export function dayName(timestamp: string, now = new Date()): string {
  const date = new Date(timestamp);
  const days = Math.round((startOfDay(date) - startOfDay(now)) / 86_400_000);
  if (days === 0 || days === -1) return capitalize(relative.format(days, "day"));
  return date.getFullYear() === now.getFullYear() ? calendar.format(date) : longCalendar.format(date);
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function capitalize(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
