/**
 * Work that callers who come while it runs wait for together.
 *
 * On Workers the request that started the work may be cancelled with the work undone, and then nobody else would ever be
 * told: a caller who joins waits at most `patienceMs`, and after that the work counts as lost and may be started again.
 */
export class SharedWork<Result> {
  #running: Promise<Result> | undefined;
  readonly #patienceMs: number;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Joins the work that runs, or starts it. Rejects as the work does, and when it was lost. */
  async join(start: () => Promise<Result>): Promise<Result> {
    if (this.#running !== undefined) return this.#waitFor(this.#running);
    const running = start();
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#forget(running);
    }
  }

  async #waitFor(running: Promise<Result>): Promise<Result> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const lost = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#forget(running);
        reject(new Error("The work in flight was lost"));
      }, this.#patienceMs);
    });
    try {
      return await Promise.race([running, lost]);
    } finally {
      clearTimeout(timer);
    }
  }

  #forget(running: Promise<Result>): void {
    if (this.#running === running) this.#running = undefined;
  }
}
