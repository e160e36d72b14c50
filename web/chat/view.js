import { byId, element, reconcile, setText } from "./dom.js";
import { avatar, lineElement, linesOf } from "./lines.js";

const NEAR_BOTTOM_PX = 80;
const STOPPED = {
  4505: "This page's address is not among the origins this server allows.",
  4506: "You have been banned here.",
  4507: "You are connected in too many windows. Close one of them.",
};

/** Shows the chat as it is. */
export function render(chat, scroll) {
  const { active, session, outbox } = chat;
  setText(byId("room-title"), `# ${active.id}`);
  setText(byId("me"), session.name);
  renderConnection(chat);
  renderNotice(chat.notice);
  renderRooms(chat);
  renderPeople(active, session.userId);
  setText(byId("typing"), typingLine(active, session.userId));
  const lines = linesOf(active, outbox.of(active.id), session.userId);
  scroll.keep(active.id, () => {
    byId("older").hidden = !active.isJoined || !active.hasOlder;
    byId("empty").hidden = !active.isJoined || lines.length > 0;
    const actions = { onRetry: (id) => chat.retry(id), onDiscard: (id) => chat.discard(id) };
    reconcile(byId("lines"), lines, (line) => lineElement(line, actions));
  });
  const unread = [...chat.rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  document.title = `${unread > 0 ? `(${unread}) ` : ""}#${active.id} · Parley`;
}

function renderConnection({ connection, active, reachable }) {
  const { phase, code, attempt } = connection?.state ?? { phase: "connecting" };
  const target = byId("connection");
  byId("reconnect").hidden = phase !== "stopped";
  target.dataset.phase = phase === "online" && !active.isJoined ? "connecting" : phase;
  if (phase === "stopped") return setText(target, STOPPED[code] ?? `The server ended the connection (${code}).`);
  if (phase === "online") return setText(target, active.isJoined ? "Connected" : "Joining…");
  if (!navigator.onLine) return setText(target, "You are offline. Messages wait.");
  if (attempt === undefined) return setText(target, "Connecting…");
  setText(
    target,
    reachable === false ? "The server cannot be reached. Trying again…" : "Connection lost. Trying again…",
  );
}

function renderNotice(notice) {
  byId("notice").hidden = notice === undefined;
  setText(byId("notice-text"), notice?.text ?? "");
}

function renderRooms(chat) {
  const items = [...chat.rooms.values()].map(({ id, unread }) => {
    const isActive = id === chat.active.id;
    return { key: id, version: `${isActive}${unread}${chat.rooms.size}`, id, unread, isActive };
  });
  reconcile(byId("rooms"), items, ({ id, unread, isActive }) => {
    const made = element("li", isActive ? "active" : "");
    const link = element("a", "", `# ${id}`);
    link.href = `#${id}`;
    if (isActive) link.ariaCurrent = "page";
    if (unread > 0) link.append(element("span", "count", `${unread} new`));
    made.append(link);
    if (chat.rooms.size > 1) made.append(leaveButton(chat, id));
    return made;
  });
}

function leaveButton(chat, id) {
  const made = element("button", "leave", "×");
  made.type = "button";
  made.ariaLabel = `Leave ${id}`;
  made.onclick = () => chat.leave(id);
  return made;
}

function renderPeople(room, me) {
  const people = [...room.online].sort(([, a], [, b]) => a.localeCompare(b));
  setText(byId("people-count"), room.isJoined ? String(room.crowd || people.length) : "");
  const items = people.map(([id, name]) => ({ key: id, version: `${name}${room.typing.has(id)}`, id, name }));
  reconcile(byId("people"), items, ({ id, name }) => {
    const made = element("li", room.typing.has(id) ? "writing" : "");
    made.append(avatar(id, name), element("span", "name", id === me ? `${name} (you)` : name));
    return made;
  });
}

function typingLine(room, me) {
  const names = [...room.typing].flatMap(([userId, { username }]) => (userId === me ? [] : [username]));
  if (names.length > 3) return "Several people are typing…";
  if (names.length === 0) return "";
  return `${new Intl.ListFormat("en").format(names)} ${names.length > 1 ? "are" : "is"} typing…`;
}

/** Keeps a log where its reader is: at the newest message when they were there, else where they were. */
export class Scroll {
  #roomId;
  constructor(log, button) {
    Object.assign(this, { log, button });
    log.addEventListener("scroll", () => this.isAtEnd && (button.hidden = true));
    button.addEventListener("click", () => this.toEnd());
  }

  get isAtEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_BOTTOM_PX;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  keep(roomId, change) {
    const { log } = this;
    const wasAtEnd = this.isAtEnd || roomId !== this.#roomId;
    this.#roomId = roomId;
    const lines = byId("lines");
    const [first, last] = [lines.firstElementChild, lines.lastElementChild];
    const fromEnd = log.scrollHeight - log.scrollTop;
    change();
    if (wasAtEnd) this.toEnd();
    else if (first !== lines.firstElementChild && last === lines.lastElementChild)
      log.scrollTop = log.scrollHeight - fromEnd;
    else if (last !== lines.lastElementChild) this.button.hidden = false;
    if (wasAtEnd) this.button.hidden = true;
  }
}
