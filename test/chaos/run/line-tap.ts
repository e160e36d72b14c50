/** The lines that a world's processes write: kept until somebody wants them, because the first come before anybody can. */
export class LineTap {
  #early: [part: string, line: string][] = [];
  #take: ((part: string, line: string) => void) | undefined;

  readonly onLine = (part: string, line: string): void => {
    if (this.#take === undefined) this.#early.push([part, line]);
    else this.#take(part, line);
  };

  /** Every line from the first one on; a second taker gets those from now on, in the first one's place. */
  open(take: (part: string, line: string) => void): void {
    this.#take = take;
    for (const [part, line] of this.#early) take(part, line);
    this.#early = [];
  }
}
