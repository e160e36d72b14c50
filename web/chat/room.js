// Above this a room tells how many people there are instead of who.
const CROWD = 200;

/** What this tab knows of one room. Messages are ordered by `seq` and each is kept once. */
export class Room {
  epoch;
  /** The newest position seen. Not every position is a message. */
  seq = 0;
  messages = [];
  /** Who came and went while this tab looked, each after a position. */
  events = [];
  online = new Map();
  typing = new Map();
  /** How many people there are where the server no longer names them all, else 0. */
  crowd = 0;
  isJoined = false;
  hasOlder = true;
  unread = 0;

  constructor(id) {
    this.id = id;
  }

  get since() {
    return this.epoch === undefined ? undefined : { epoch: this.epoch, seq: this.seq };
  }

  /** Takes a `room_joined` frame. What does not continue what is here replaces it; older pages come over HTTP. */
  join(frame) {
    if (!frame.recovered || frame.epoch !== this.epoch) {
      this.messages = [];
      this.events = [];
      this.seq = 0;
      this.hasOlder = true;
    }
    this.epoch = frame.epoch;
    this.isJoined = true;
    this.setPeople(frame.members, frame.memberCount);
    const added = this.add(frame.messages);
    this.seq = Math.max(this.seq, frame.seq);
    if (this.messages[0]?.seq === 1 || frame.seq === 0) this.hasOlder = false;
    return added;
  }

  setPeople(members, count) {
    const online = members.filter(({ status }) => status === "online");
    this.online = new Map(online.map(({ userId, username }) => [userId, username]));
    this.crowd = count > CROWD ? count : 0;
  }

  leave() {
    this.isJoined = false;
    this.typing.clear();
  }

  /** @returns the messages that were new. */
  add(messages) {
    const added = messages.filter(({ seq }) => !this.messages.some((known) => known.seq === seq));
    this.messages = [...this.messages, ...added].sort((a, b) => a.seq - b.seq);
    for (const { userId } of added) this.typing.delete(userId);
    return added;
  }

  setPresence({ userId, username, status }) {
    const isNews = this.online.has(userId) !== (status === "online");
    if (status === "online") this.online.set(userId, username);
    else this.online.delete(userId);
    this.typing.delete(userId);
    if (!isNews) return;
    // Someone who flickers leaves one line, not twenty.
    const last = this.events.at(-1);
    if (last?.userId === userId && last.after === this.seq) this.events.pop();
    this.events.push({ userId, username, status, after: this.seq, at: Date.now() });
  }

  setTyping({ userId, username, isTyping }, until) {
    if (isTyping) this.typing.set(userId, { username, until });
    else this.typing.delete(userId);
  }
}
