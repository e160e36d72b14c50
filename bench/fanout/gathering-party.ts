import type * as Party from "partykit/server";

const GATHER_MS = 15;
const ENVELOPE = {
  type: "message",
  roomId: "00000000-0000-4000-8000-000000000000",
  messageId: "00000000-0000-4000-8000-000000000000",
  userId: "user-0",
  username: "user-0",
};

/**
 * A room that does nothing but what makes `chat.v1.lines` fast: it hands on what it hears in lines as long as Parley's,
 * all that came within 15 ms in one message. Nothing is stored, checked or acked: as fast as a room can be in a runtime.
 */
export default class GatheringRoom implements Party.Server {
  readonly options: Party.ServerOptions = { hibernate: true };
  readonly #room: Party.Room;
  #lines: string[] = [];
  #seq = 0;

  static onFetch(): Response {
    return new Response("ok");
  }

  constructor(room: Party.Room) {
    this.#room = room;
  }

  onMessage(message: string): void {
    const { content } = JSON.parse(message) as { content: string }; // what the load says, and nobody else
    const line = { ...ENVELOPE, content, timestamp: new Date().toISOString(), seq: ++this.#seq };
    if (this.#lines.push(JSON.stringify(line)) === 1) setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    const text = this.#lines.join("\n");
    this.#lines = [];
    for (const connection of this.#room.getConnections()) connection.send(text);
  }
}
