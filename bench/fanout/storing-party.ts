import type * as Party from "partykit/server";

/** The bare room, but for one write to its storage that each message has to wait for before anybody hears of it. */
export default class StoringRoom implements Party.Server {
  readonly options: Party.ServerOptions = { hibernate: true };
  readonly #room: Party.Room;
  #count = 0;

  static onFetch(): Response {
    return new Response("ok");
  }

  constructor(room: Party.Room) {
    this.#room = room;
  }

  onMessage(message: string): void {
    void this.#room.storage.put(`message:${++this.#count}`, message); // the platform holds what is sent until it is kept
    this.#room.broadcast(message);
  }
}
