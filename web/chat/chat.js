import { request } from "./api.js";
import { Connection } from "./connection.js";
import { Outbox } from "./outbox.js";
import { Room } from "./room.js";
import { signIn } from "./session.js";
import { Typing } from "./typing.js";

const ROOMS_KEY = "parley.rooms";
const ACK_LIMIT_MS = 10_000;
const TYPING_SHOWN_MS = 7_000;
const RETRY_MS = 3_000;
const PAGE_SIZE = 50;
const REPORT_EVERY = 32;
const ROOM_REFUSALS = new Set(["forbidden", "room_not_found", "bad_room_id", "reserved_id"]);
const PASSING = new Set(["storage_unavailable", "rooms_unavailable", "internal"]);

/** One signed-in tab: its rooms, its unacked messages and its connection. `onChange` is called after every change. */
export class Chat {
  rooms = new Map();
  limits = { messageMaxLength: 1000 };
  /** What to tell the person: `{text, roomId?}`; one about a room goes when the room speaks again. */
  notice;

  constructor(session, { roomId, onChange, onSignedOut }) {
    Object.assign(this, { session, onChange, onSignedOut });
    this.outbox = new Outbox(session.userId);
    for (const id of JSON.parse(sessionStorage.getItem(ROOMS_KEY) ?? "[]")) this.rooms.set(id, new Room(id));
    this.active = this.#enter(roomId);
    this.connection = new Connection({
      describe: () => this.#address(),
      renew: () => this.#renew(),
      onFrame: (frame) => this.#hear(frame),
      onState: (state) => this.#follow(state),
    });
    this.typing = new Typing((frame) => this.connection.send(frame));
    this.connection.open();
    this.ticks = setInterval(() => this.#tick(), 1_000);
  }

  close() {
    clearInterval(this.ticks);
    this.connection.stop();
    sessionStorage.removeItem(ROOMS_KEY);
  }

  /** Shows a room, joining it first when it is new. */
  show(roomId) {
    const isNew = !this.rooms.has(roomId);
    this.active = this.#enter(roomId);
    this.active.unread = 0;
    this.notice = undefined;
    if (isNew) this.#join(this.active);
    this.onChange();
  }

  leave(roomId) {
    this.connection.send({ type: "leave_room", roomId });
    this.#forget(roomId);
    this.onChange();
  }

  say(content) {
    this.typing.stop();
    this.#transmit(this.outbox.add(this.active.id, content));
    this.onChange();
  }

  retry(clientMessageId) {
    const item = this.outbox.find(clientMessageId);
    item.state = "sending";
    this.#transmit(item);
    this.onChange();
  }

  discard(clientMessageId) {
    this.outbox.remove(clientMessageId);
    this.onChange();
  }

  /** Fetches the page of history before the oldest message shown. */
  async loadOlder(room = this.active) {
    if (room.isLoading || !room.hasOlder) return;
    room.isLoading = true;
    const before = room.messages[0] === undefined ? "" : `&before=${room.messages[0].seq}`;
    try {
      const path = `/v1/channels/${room.id}/messages?limit=${PAGE_SIZE}${before}`;
      const page = await request(path, { token: this.session.restToken });
      room.add(page.messages);
      room.hasOlder = page.prev !== null;
    } catch (error) {
      this.tell(`Older messages did not come: ${error.message}`);
    }
    room.isLoading = false;
    this.onChange();
  }

  tell(text) {
    this.notice = text === undefined ? undefined : { text };
    this.onChange();
  }

  #hear(frame) {
    const room = this.rooms.get(frame.roomId);
    if (frame.type === "welcome") this.#welcome(frame);
    else if (frame.type === "heads") this.#compare(frame.rooms);
    else if (frame.type === "error") this.#refused(frame);
    else if (room === undefined) return;
    else this.#hearRoom(room, frame);
    this.onChange();
  }

  #hearRoom(room, frame) {
    if (this.notice?.roomId === room.id) this.notice = undefined;
    if (frame.type === "room_joined") this.#joined(room, frame);
    else if (frame.type === "ack") this.#acked(room, frame);
    else if (frame.type === "presence") room.setPresence(frame);
    else if (frame.type === "presence_changes") for (const change of frame.changes) room.setPresence(change);
    else if (frame.type === "presence_count") room.setPeople(frame.sample, frame.memberCount);
    else if (frame.type === "typing_indicator") room.setTyping(frame, Date.now() + TYPING_SHOWN_MS);
    else if (frame.seq !== undefined && frame.type !== "read") this.#happened(room, frame);
  }

  #welcome(frame) {
    this.limits = frame.limits;
    this.notice = undefined;
    // The active room is joined by the address of the socket.
    for (const room of this.rooms.values()) if (room !== this.active) this.#join(room);
  }

  #join(room) {
    this.connection.send({ type: "join_room", roomId: room.id, ...(room.since && { since: room.since }) });
  }

  #joined(room, frame) {
    const isFirst = room.epoch === undefined;
    const added = room.join(frame);
    for (const message of added) this.#settle(message);
    if (!isFirst) this.#count(room, added);
    if (room.messages.length === 0) void this.loadOlder(room);
    for (const item of this.outbox.of(room.id)) if (item.state === "sending") this.#transmit(item);
  }

  // An event of a kind this page does not know has a position all the same.
  #happened(room, frame) {
    if (frame.seq > room.seq + 1) return this.#join(room);
    room.seq = Math.max(room.seq, frame.seq);
    if (room.seq - (room.reportedSeq ?? 0) >= REPORT_EVERY) this.#report(room);
    if (frame.type !== "message") return;
    const added = room.add([frame]);
    this.#settle(frame);
    this.#count(room, added);
  }

  #settle({ userId, clientMessageId }) {
    if (userId === this.session.userId && clientMessageId !== undefined) this.outbox.remove(clientMessageId);
  }

  #count(room, added) {
    const others = added.filter(({ userId }) => userId !== this.session.userId);
    if (room !== this.active || document.hidden) room.unread += others.length;
  }

  #acked(room, { clientMessageId, messageId, seq, timestamp }) {
    const item = this.outbox.remove(clientMessageId);
    if (item === undefined) return;
    const { userId, name } = this.session;
    room.add([{ messageId, userId, username: name, content: item.content, timestamp, seq, clientMessageId }]);
    // Not further: what others wrote before it may still be on its way.
    if (seq === room.seq + 1) room.seq = seq;
  }

  #refused({ code, message, roomId, clientMessageId, retryAfterMs }) {
    const item = this.outbox.find(clientMessageId);
    const seconds = Math.ceil((retryAfterMs ?? 0) / 1_000);
    const text = code === "rate_limited" && seconds > 0 ? `you are writing too fast, wait ${seconds} seconds` : message;
    // Certainly not stored, and nothing is wrong with it: the next tick after a while sends it again.
    if (item !== undefined && PASSING.has(code)) item.sentAt = Date.now() - ACK_LIMIT_MS + RETRY_MS;
    else if (item !== undefined) Object.assign(item, { state: "failed", reason: text });
    else if (ROOM_REFUSALS.has(code) && roomId !== undefined) this.#turnedAway(roomId, message);
    else this.notice = { text: message, roomId };
    this.outbox.save();
  }

  #turnedAway(roomId, reason) {
    this.#forget(roomId);
    this.notice = { text: `You cannot join “${roomId}”: ${reason}.` };
  }

  #forget(roomId) {
    this.rooms.delete(roomId);
    if (this.active.id === roomId) this.active = this.#enter([...this.rooms.keys()].at(-1) ?? "lobby");
    if (!this.active.isJoined) this.#join(this.active);
    history.replaceState(null, "", `#${this.active.id}`);
    this.#remember();
  }

  #enter(roomId) {
    if (!this.rooms.has(roomId)) this.rooms.set(roomId, new Room(roomId));
    this.#remember();
    return this.rooms.get(roomId);
  }

  #remember() {
    sessionStorage.setItem(ROOMS_KEY, JSON.stringify([...this.rooms.keys()]));
  }

  #compare(heads) {
    for (const [roomId, seq] of Object.entries(heads)) {
      const room = this.rooms.get(roomId);
      if (room?.isJoined && seq > room.seq) this.#join(room);
    }
  }

  #transmit(item) {
    item.sentAt = Date.now();
    if (this.rooms.get(item.roomId)?.isJoined) {
      const { roomId, content, clientMessageId } = item;
      this.connection.send({ type: "message", roomId, content, clientMessageId });
    }
    this.outbox.save();
  }

  #follow(state) {
    if (state.phase !== "online") for (const room of this.rooms.values()) room.leave();
    if (state.phase === "waiting") void this.#lookForServer();
    const isRoomRefused = state.code === 4503 || state.code === 4504;
    if (state.phase === "stopped" && state.code === 4500) return this.onSignedOut();
    if (state.phase === "stopped" && isRoomRefused && this.active.id !== "lobby") {
      this.#turnedAway(this.active.id, state.code === 4504 ? "there is no such room for you" : "you are not a member");
      this.connection.open();
    }
    this.onChange();
  }

  // A browser does not say why a socket failed: a plain request tells "server gone" from "socket refused".
  async #lookForServer() {
    this.reachable = await request("/healthz").then(
      () => true,
      ({ code }) => code !== "unreachable",
    );
    this.onChange();
  }

  #address() {
    // At this page's own address, because the deployment may have several and its policy allows no other.
    const url = new URL(new URL(this.session.wsUrl).pathname, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const { id, since } = this.active;
    url.searchParams.set("roomId", id);
    if (since !== undefined) url.searchParams.set("since", `${since.epoch}.${since.seq}`);
    return { url, token: this.session.wsToken };
  }

  async #renew() {
    this.session = await signIn(this.session.name);
  }

  #tick() {
    const now = Date.now();
    this.typing.stopIfIdle();
    for (const room of this.rooms.values()) {
      for (const [userId, { until }] of room.typing) if (until < now) room.typing.delete(userId);
      if (room.isJoined) this.#report(room);
    }
    const overdue = this.outbox.items.filter(({ state, sentAt }) => state === "sending" && now - sentAt > ACK_LIMIT_MS);
    for (const item of overdue) this.#transmit(item);
    this.onChange();
  }

  // What has come, so that the server keeps sending, and what has been seen.
  #report(room) {
    const { id: roomId, seq } = room;
    if (seq === 0) return;
    if (seq !== room.reportedSeq && this.connection.send({ type: "received", roomId, seq })) room.reportedSeq = seq;
    if (room !== this.active || document.hidden || seq === room.readSeq) return;
    room.unread = 0;
    if (this.connection.send({ type: "read", roomId, seq })) room.readSeq = seq;
  }
}
