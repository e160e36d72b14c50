/** A check that does not hold: what was expected, what came instead, and where to look. */
export class CheckFailed extends Error {
  readonly expected: string;
  readonly came: string;
  readonly hint: string;
  constructor(expected: string, came: string, hint: string) {
    super(`expected ${expected}, came ${came}`);
    this.expected = expected;
    this.came = came;
    this.hint = hint;
  }
}
