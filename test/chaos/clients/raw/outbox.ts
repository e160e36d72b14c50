export interface WaitingMessage {
  id: string;
  content: string;
  /** When it was last sent, on which socket; undefined for one that is to be sent as soon as there is a socket. */
  sentAt: number | undefined;
  socket: number | undefined;
}

/** What a client has sent, or is to send, in one room and has no answer to: in order, and sent again in that order. */
export class ClientOutbox {
  readonly #waiting = new Map<string, WaitingMessage>();

  get size(): number {
    return this.#waiting.size;
  }

  add(id: string, content: string): WaitingMessage {
    const message = { id, content, sentAt: undefined, socket: undefined };
    this.#waiting.set(id, message);
    return message;
  }

  find(id: string): WaitingMessage | undefined {
    return this.#waiting.get(id);
  }

  settle(id: string): void {
    this.#waiting.delete(id);
  }

  /** Everything that was not sent on this socket yet, or has waited there for too long. */
  due(socket: number, now: number, patienceMs: number): WaitingMessage[] {
    return [...this.#waiting.values()].filter(
      (message) => message.socket !== socket || message.sentAt === undefined || message.sentAt < now - patienceMs,
    );
  }
}
