import type { ClientSocket } from "./client-socket.ts";
import type { HttpClient } from "./http-client.ts";
import type { SmokeOptions } from "./options.ts";
import type { Message } from "../../protocol/frames.ts";
import type { TokenReply } from "../../protocol/http.ts";

/** One thing that must be true of a deployment. A returned text is a remark that the report shows. */
export interface Check {
  group: string;
  name: string;
  /** Without it nothing else can hold, and the run ends. */
  isVital?: true;
  run(run: Run): Promise<string | void>;
}

/** What the checks of one run share, each adding what it found out. */
export interface Run {
  options: SmokeOptions;
  http: HttpClient;
  /** The time limit of the check that runs now. */
  deadline: AbortSignal;
  exchanged?: TokenReply;
  /** Two people when there is an API key, else two sockets of one. */
  people?: { first: TokenReply; second: TokenReply };
  rateHeaders?: Headers;
  first?: ClientSocket;
  second?: ClientSocket;
  epoch?: string;
  sent?: Pick<Message, "messageId" | "seq" | "content"> & { clientMessageId: string };
  sockets: Set<ClientSocket>;
}

/** Thrown by a check that cannot run for a reason that is no failure. */
export class CheckSkipped extends Error {}

/** The value, or the check is skipped for this reason. */
export function need<Value>(value: Value | undefined, reason: string): Value {
  if (value === undefined) throw new CheckSkipped(reason);
  return value;
}

export const NO_TOKEN = "no chat token: give --token, --token-file or --api-key";
export const NO_SOCKET = "the socket did not open";

/** Where to look when a room does not answer. */
export const SILENCE = "did the room store the message, and is it awake? Read the rooms' log";
export const TWO_PEOPLE = "needs two users: give --api-key";

/** The two clients, once both are in the room. */
export function needPair({ first, second, people }: Run) {
  return { people: need(people, NO_TOKEN), first: need(first, NO_SOCKET), second: need(second, NO_SOCKET) };
}

/** Whether the two clients are two sockets of one user. */
export function isSamePerson({ first, second }: NonNullable<Run["people"]>): boolean {
  return first.userId === second.userId;
}
