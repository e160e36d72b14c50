import "./shifted-date.ts";
import type * as Party from "partykit/server";
import Room from "../../../../party/index.ts";
import { awakeRooms, noteRoom } from "./awake-rooms.ts";
import { clockOffset, setClockOffset } from "./clock-offset.ts";
import { CLOCK_PATH, readOffset } from "./clock-path.ts";
import { ShiftedAlarm, withAlarm } from "./shifted-alarms.ts";

function withStorage(room: Party.Room, storage: Party.Storage): Party.Room {
  return new Proxy(room, {
    get(target, name) {
      if (name === "storage") return storage;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

class ShiftedRoom extends Room {
  readonly #alarm: ShiftedAlarm;
  readonly #party: Party.Room;
  #isNoted: boolean;

  constructor(room: Party.Room) {
    const alarm = new ShiftedAlarm(room.storage, room.internalID);
    super(withStorage(room, withAlarm(room.storage, alarm)));
    this.#alarm = alarm;
    this.#party = room;
    this.#isNoted = noteRoom(room);
  }

  override onMessage(...heard: Parameters<Room["onMessage"]>): Promise<void> | void {
    if (!this.#isNoted) this.#isNoted = noteRoom(this.#party);
    return super.onMessage(...heard);
  }

  override async onRequest(request: Parameters<Room["onRequest"]>[0]): Promise<Response> {
    if (!this.#isNoted) this.#isNoted = noteRoom(this.#party);
    if (readOffset(request) === undefined) return super.onRequest(request);
    await this.#alarm.clockWasSet();
    return new Response(null, { status: 204 });
  }
}

async function onFetch(request: Request, lobby: Party.FetchLobby): Promise<Response> {
  const offsetMs = readOffset(request);
  if (offsetMs === undefined) return Room.onFetch(request);
  setClockOffset(offsetMs);
  const path = `${CLOCK_PATH}?offsetMs=${offsetMs}`;
  const main = lobby.parties["main"];
  const rooms = awakeRooms();
  await Promise.all(rooms.map(async (key) => await main?.get(key).fetch(path, { method: "POST" })));
  return Response.json({ offsetMs: clockOffset(), rooms: rooms.length });
}

/** The party as it is, with a clock that can be set: its rooms' alarms then move with it. */
export default Object.assign(ShiftedRoom, { onFetch });
