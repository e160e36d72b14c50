/** Prints a number beside what it has to be, and whether it is. */
export function goal(text: string, value: number, bound: { atLeast: number } | { atMost: number }): void {
  const isReached = "atMost" in bound ? value <= bound.atMost : value >= bound.atLeast;
  const limit = "atMost" in bound ? `at most ${bound.atMost}` : `at least ${bound.atLeast}`;
  console.log(`${isReached ? "reached" : "MISSED "}  ${text.padEnd(66)} ${value.toFixed(2)}  (${limit})`);
}
