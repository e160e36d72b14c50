const EVERY_MS = 2_000;
const IDLE_MS = 4_000;

/** Says that this person is typing: now and then while they do, and when they stop. `send` takes a frame. */
export class Typing {
  #roomId;
  #toldAt = 0;
  #typedAt = 0;

  constructor(send) {
    this.send = send;
  }

  typed(roomId) {
    const now = Date.now();
    this.#typedAt = now;
    if (this.#roomId === roomId && now - this.#toldAt < EVERY_MS) return;
    if (this.#roomId !== roomId) this.stop();
    this.#roomId = roomId;
    this.#toldAt = now;
    this.send({ type: "typing", roomId, isTyping: true });
  }

  stop() {
    if (this.#roomId !== undefined) this.send({ type: "typing", roomId: this.#roomId, isTyping: false });
    this.#roomId = undefined;
  }

  stopIfIdle() {
    if (Date.now() - this.#typedAt > IDLE_MS) this.stop();
  }
}
