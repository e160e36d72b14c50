import { clockOffset, setClockOffset } from "./shifted-date.ts";
import type * as Party from "partykit/server";
import Room from "../../../../party/index.ts";
import { CLOCK_PATH, readOffset } from "./clock-path.ts";

/** The rooms that this process has woken, by the key they are found with. */
const rooms = new Set<string>();

/** Alarms are kept by the runtime, whose clock stays: a room's time is translated on the way there and back. */
function shiftAlarms(storage: Party.Storage): Party.Storage {
  return new Proxy(storage, {
    get(target, name) {
      if (name === "setAlarm") return (at: number) => target.setAlarm(at - clockOffset());
      if (name === "getAlarm")
        return async () => {
          const at = await target.getAlarm();
          return at === null ? null : at + clockOffset();
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

function withShiftedAlarms(room: Party.Room): Party.Room {
  const storage = shiftAlarms(room.storage);
  return new Proxy(room, {
    get(target, name) {
      if (name === "storage") return storage;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

class ShiftedRoom extends Room {
  readonly #storage: Party.Storage;

  constructor(room: Party.Room) {
    super(withShiftedAlarms(room));
    this.#storage = room.storage;
    rooms.add(room.id);
  }

  override async onRequest(request: Parameters<Room["onRequest"]>[0]): Promise<Response> {
    const movedMs = readOffset(request);
    if (movedMs === undefined) return super.onRequest(request);
    const at = await this.#storage.getAlarm();
    if (at !== null) await this.#storage.setAlarm(at - movedMs);
    return new Response(null, { status: 204 });
  }
}

async function onFetch(request: Request, lobby: Party.FetchLobby): Promise<Response> {
  const offsetMs = readOffset(request);
  if (offsetMs === undefined) return Room.onFetch(request);
  const path = `${CLOCK_PATH}?offsetMs=${offsetMs - clockOffset()}`;
  setClockOffset(offsetMs);
  const main = lobby.parties["main"];
  await Promise.all([...rooms].map(async (key) => await main?.get(key).fetch(path, { method: "POST" })));
  return Response.json({ offsetMs, rooms: rooms.size });
}

/** The party as it is, with a clock that can be set: its rooms' alarms then move with it. */
export default Object.assign(ShiftedRoom, { onFetch });
