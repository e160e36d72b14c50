const KEY = "parley.outbox";

/** Messages the server has not acked. Kept in the tab's storage, so that a reload sends them again under the same id. */
export class Outbox {
  #userId;

  constructor(userId) {
    this.#userId = userId;
    const stored = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    this.items = stored?.userId === userId ? stored.items : [];
  }

  add(roomId, content) {
    const item = { roomId, content, clientMessageId: newId(), state: "sending", createdAt: Date.now() };
    this.items.push(item);
    this.save();
    return item;
  }

  find(clientMessageId) {
    return this.items.find((item) => item.clientMessageId === clientMessageId);
  }

  of(roomId) {
    return this.items.filter((item) => item.roomId === roomId);
  }

  /** Removes an item, once it is stored or given up. */
  remove(clientMessageId) {
    const item = this.find(clientMessageId);
    this.items = this.items.filter((other) => other !== item);
    this.save();
    return item;
  }

  save() {
    sessionStorage.setItem(KEY, JSON.stringify({ userId: this.#userId, items: this.items }));
  }
}

// crypto.randomUUID exists only over https and on localhost; a phone on the same network has neither.
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
