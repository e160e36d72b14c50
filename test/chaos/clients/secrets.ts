import type { Recorder } from "../history/recorder.ts";

const TOKEN = /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/;

/** Looks for the run's secrets in whatever is said and answered. What it writes down is which one it found, and where. */
export class SecretWatch {
  readonly #recorder: Recorder;
  readonly #secrets: readonly string[];
  readonly #told = new Set<string>();

  constructor(recorder: Recorder, secrets: readonly string[]) {
    this.#recorder = recorder;
    this.#secrets = secrets.filter((secret) => secret.length >= 8);
  }

  look(text: string, where: string): void {
    for (const [at, secret] of this.#secrets.entries())
      if (text.includes(secret)) this.#tell(where, `secret ${at + 1}`);
    if (text.includes("eyJ") && TOKEN.test(text)) this.#tell(where, "a token");
  }

  #tell(where: string, secret: string): void {
    if (this.#told.has(`${where} ${secret}`)) return;
    this.#told.add(`${where} ${secret}`);
    this.#recorder.write({ kind: "leak", where, secret });
  }
}
