const PING_MS = 20_000;
const SILENCE_MS = 50_000;
const PROBE_MS = 5_000;
const STEADY_MS = 10_000;
const BASE_WAIT_MS = 500;
const MAX_WAIT_MS = 30_000;

/**
 * One socket that comes back. `describe()` gives `{url, token}` for each attempt, `renew()` new tokens after 4001, and
 * `onFrame` and `onState` tell what happened; a state's `phase` is connecting, online, waiting or stopped.
 */
export class Connection {
  #socket;
  #attempt = 0;
  #timer;
  #heardAt = 0;
  #onlineAt = 0;

  constructor({ describe, renew, onFrame, onState }) {
    Object.assign(this, { describe, renew, onFrame, onState });
    this.state = { phase: "connecting" };
    this.pings = setInterval(() => this.#keepAlive(), PING_MS);
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    addEventListener("online", () => this.#hurry(), { signal });
    addEventListener("offline", () => this.#probe(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#probe(), { signal });
  }

  open() {
    clearTimeout(this.#timer);
    const { url, token } = this.describe();
    const socket = new WebSocket(url, ["chat.v1", `chat.token.${token}`]);
    this.#drop();
    this.#socket = socket;
    this.#become({ phase: "connecting" });
    // A socket that is no longer ours may still speak: only the current one is heard.
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code);
  }

  /** @returns whether the frame was handed to an open socket. It says nothing about its arrival. */
  send(frame) {
    if (this.state.phase !== "online" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  stop() {
    clearInterval(this.pings);
    clearTimeout(this.#timer);
    this.listeners.abort();
    this.#drop();
  }

  #hear(frame) {
    this.#heardAt = Date.now();
    if (frame.type === "welcome") {
      this.#onlineAt = Date.now();
      this.#become({ phase: "online" });
    }
    // Answered at once, because a hidden tab's timers are slowed to one a minute.
    if (frame.type === "heads") this.send({ type: "ping" });
    this.onFrame(frame);
  }

  #closed(code) {
    this.#drop();
    if (code >= 4500) return this.#become({ phase: "stopped", code });
    // Only a connection that held counts as a success; one that is closed again and again must wait longer each time.
    if (this.state.phase === "online" && Date.now() - this.#onlineAt > STEADY_MS) this.#attempt = 0;
    this.#later(code, code === 4029 ? 8 * BASE_WAIT_MS : BASE_WAIT_MS);
  }

  // Full jitter: a restart that cuts off a thousand tabs must not bring them all back in the same moment.
  #later(code, base, atLeastMs = 0) {
    const waitMs = Math.max(atLeastMs, Math.random() * Math.min(MAX_WAIT_MS, base * 2 ** this.#attempt++));
    this.#timer = setTimeout(() => (code === 4001 ? this.#renewed() : this.open()), waitMs);
    this.#become({ phase: "waiting", code, retryAt: Date.now() + waitMs, attempt: this.#attempt });
  }

  async #renewed() {
    try {
      await this.renew();
      this.open();
    } catch (error) {
      if (error.code !== "unreachable" && error.retryAfterMs === undefined)
        this.#become({ phase: "stopped", code: 4500 });
      else this.#later(4001, BASE_WAIT_MS, error.retryAfterMs);
    }
  }

  #hurry() {
    if (this.state.phase !== "waiting" || this.state.code === 4001) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), Math.random() * BASE_WAIT_MS);
  }

  #keepAlive() {
    if (this.state.phase === "online" && Date.now() - this.#heardAt > SILENCE_MS) this.#closed(1006);
    else this.send({ type: "ping" });
  }

  // The network may have gone without telling the socket: whoever does not answer now is gone.
  #probe() {
    const askedAt = Date.now();
    const socket = this.#socket;
    if (!this.send({ type: "ping" })) return;
    setTimeout(() => socket === this.#socket && this.#heardAt < askedAt && this.#closed(1006), PROBE_MS);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #become(state) {
    this.state = state;
    this.onState(state);
  }
}
