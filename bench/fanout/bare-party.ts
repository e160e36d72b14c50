import type * as Party from "partykit/server";

/** A PartyKit room that hibernates and only hands on what it hears: no door, no storage, no acks, nobody counted. */
export default class BareRoom implements Party.Server {
  readonly options: Party.ServerOptions = { hibernate: true };
  readonly #room: Party.Room;

  static onFetch(): Response {
    return new Response("ok");
  }

  constructor(room: Party.Room) {
    this.#room = room;
  }

  onMessage(message: string): void {
    this.#room.broadcast(message);
  }
}
