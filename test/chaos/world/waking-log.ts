/** What the rooms' log says about rooms that were put to sleep by the runtime and woken again. */
export class WakingLog {
  readonly #wakings: string[] = [];

  take(line: string): void {
    const [, roomId, sockets] = /"event":"room_woke","roomId":"([^"]+)","sockets":(\d+)/.exec(line) ?? [];
    // One that wakes without sockets may only have been empty, or killed.
    if (roomId !== undefined && Number(sockets) > 0) this.#wakings.push(roomId);
  }

  /** How many wakings there have been, to be compared later. */
  get count(): number {
    return this.#wakings.length;
  }

  /** The rooms that have woken since then with their sockets still open. */
  since(count: number): string[] {
    return this.#wakings.slice(count);
  }
}
