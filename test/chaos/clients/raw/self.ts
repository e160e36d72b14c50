import type { ChaosClientDeps, ChaosClientOptions } from "../chaos-client.ts";
import type { SignIn } from "./sign-in.ts";

export interface RawClientDeps extends ChaosClientDeps {
  /** Where a socket for these rooms is opened; with several rooms the others are joined on it. */
  address: (room: string) => string;
  /** One socket for all rooms, instead of one for each. */
  shared: boolean;
  lines: boolean;
}

/** What all parts of one client know. */
export interface Self extends RawClientDeps {
  options: ChaosClientOptions;
  signIn: SignIn;
}
