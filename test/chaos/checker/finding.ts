/** Something that must never be and was; enough of it to find the place in the history. */
export interface Violation {
  invariant: string;
  /** In words, with the numbers that matter. */
  text: string;
  /** Milliseconds since the run began. */
  at?: number | undefined;
  room?: string | undefined;
  client?: string | undefined;
  seq?: number | undefined;
}

export interface Finding {
  /** How many things were looked at: an invariant that looked at nothing has proved nothing. */
  lookedAt: number;
  violations: Omit<Violation, "invariant">[];
}

/** Collects what an invariant finds. */
export class Look {
  lookedAt = 0;
  readonly violations: Omit<Violation, "invariant">[] = [];

  /** Looks at one thing; `wrong` says what is wrong with it, if something is. */
  at(wrong: () => Omit<Violation, "invariant"> | undefined): void {
    this.lookedAt += 1;
    const violation = wrong();
    if (violation !== undefined) this.violations.push(violation);
  }

  found(violation: Omit<Violation, "invariant">): void {
    this.violations.push(violation);
  }
}
