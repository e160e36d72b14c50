import { element } from "./dom.js";

const GROUP_MS = 5 * 60_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** What a room's log shows, in order: days, messages, who came and went, and what is not sent yet. */
export function linesOf(room, pending, me) {
  const messages = room.messages.map((message) => ({
    kind: "message",
    key: `m-${message.clientMessageId ?? message.messageId}`,
    at: Date.parse(message.timestamp),
    order: message.seq,
    state: "sent",
    ...message,
  }));
  const events = room.events.map((event) => ({
    kind: "event",
    key: `e-${event.userId}-${event.at}`,
    order: event.after + 0.5,
    ...event,
  }));
  const waiting = pending.map((item) => ({
    kind: "message",
    key: `m-${item.clientMessageId}`,
    at: item.createdAt,
    order: Infinity,
    userId: me,
    ...item,
  }));
  const ordered = [...messages, ...events].sort((a, b) => a.order - b.order);
  return withDays([...ordered, ...waiting], me);
}

function withDays(lines, me) {
  const shown = [];
  for (const line of lines) {
    const previous = shown.at(-1);
    const day = calendar.format(line.at);
    if (day !== shown.findLast(({ kind }) => kind === "day")?.day) shown.push({ kind: "day", key: `d-${day}`, day });
    const isMine = line.userId === me;
    const follows = previous?.kind === "message" && previous.userId === line.userId && line.at - previous.at < GROUP_MS;
    const isHead = !(follows && shown.at(-1) === previous);
    shown.push({ ...line, isMine, isHead, version: `${line.state}${isHead}${line.reason ?? ""}` });
  }
  return shown;
}

/** The element of one line. `onRetry` and `onDiscard` get the id of a message that was not sent. */
export function lineElement(line, actions) {
  if (line.kind === "day") return element("li", "day", line.day);
  if (line.kind === "event")
    return element(
      "li",
      "event",
      `${line.username} ${line.status === "online" ? "came" : "left"} · ${clock.format(line.at)}`,
    );
  const made = element("li", `message${line.isMine ? " mine" : ""}${line.isHead ? " head" : ""} ${line.state}`);
  const body = element("div", "body");
  if (line.isHead && !line.isMine) made.append(avatar(line.userId, line.username));
  if (line.isHead && !line.isMine) body.append(element("span", "author", line.username));
  body.append(element("p", "text", line.content), facts(line));
  if (line.state === "failed") body.append(choices(line, actions));
  made.append(body);
  return made;
}

/** A round mark with a person's initial, in a colour that is always the same for them. */
export function avatar(userId, username) {
  let hue = 0;
  for (const letter of userId) hue = (hue * 31 + letter.codePointAt(0)) % 8;
  const made = element("span", `avatar hue-${hue}`, [...username][0].toUpperCase());
  made.ariaHidden = "true";
  return made;
}

function facts({ at, state, isMine, reason }) {
  const made = element("span", "facts");
  const time = element("time", "", clock.format(at));
  time.dateTime = new Date(at).toISOString();
  made.append(time);
  if (isMine && state === "sent") made.append(sentMark());
  else if (isMine) made.append(element("span", "", state === "sending" ? "Sending…" : `Not sent: ${reason}`));
  return made;
}

function sentMark() {
  const made = element("span", "", "✓");
  made.role = "img";
  made.ariaLabel = "Sent";
  return made;
}

function choices({ clientMessageId }, { onRetry, onDiscard }) {
  const made = element("span", "choices");
  const retry = element("button", "", "Send again");
  const discard = element("button", "", "Delete");
  retry.type = discard.type = "button";
  retry.onclick = () => onRetry(clientMessageId);
  discard.onclick = () => onDiscard(clientMessageId);
  made.append(retry, discard);
  return made;
}
