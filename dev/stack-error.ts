/** The stack cannot start or go on. The message is one line that says what to do; no stack trace is worth more. */
export class StackError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StackError";
  }
}
