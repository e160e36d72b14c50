import type { ChaosHttp } from "../http.ts";
import { backoffMs } from "./backoff.ts";

export interface SignInDeps {
  http: ChaosHttp;
  random: () => number;
}

/** A client's tokens, and where new ones come from. */
export class SignIn {
  token = "";
  wsToken = "";
  readonly #user: string;
  readonly #deps: SignInDeps;
  #isOver = false;
  #renewing: Promise<void> | undefined;

  constructor(user: string, deps: SignInDeps) {
    this.#user = user;
    this.#deps = deps;
  }

  /** Tries until it has new tokens, or is stopped; whoever asks meanwhile waits for the same. */
  async renew(): Promise<void> {
    this.#renewing ??= this.#exchange().finally(() => (this.#renewing = undefined));
    await this.#renewing;
  }

  stop(): void {
    this.#isOver = true;
  }

  async #exchange(): Promise<void> {
    for (let attempt = 0; !this.#isOver; attempt++) {
      const { body } = await this.#deps.http.exchange(this.#user);
      if (body !== undefined) {
        this.token = body.token;
        this.wsToken = body.wsToken;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, backoffMs(attempt, this.#deps.random)));
    }
  }
}
