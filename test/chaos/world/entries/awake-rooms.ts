/** The rooms that this process has woken, by the key they are found with. */
const keys = new Set<string>();

/**
 * Remembers a room's key if the room can tell it: PartyKit throws while an alarm runs, and until something else than an
 * alarm has woken the room.
 *
 * @returns whether it is known now
 */
export function noteRoom(room: { readonly id: string }): boolean {
  try {
    keys.add(room.id);
    return true;
  } catch {
    return false;
  }
}

export function awakeRooms(): readonly string[] {
  return [...keys];
}
