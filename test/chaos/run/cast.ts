import type { ChaosClient, ChaosClientOptions } from "../clients/chaos-client.ts";
import { ChaosHttp } from "../clients/http.ts";
import { RawClient } from "../clients/raw/raw-client.ts";
import { SdkClient } from "../clients/sdk/sdk-client.ts";
import type { SecretWatch } from "../clients/secrets.ts";
import type { Recorder } from "../history/recorder.ts";
import type { ChaosWorld } from "../world/types.ts";
import type { Seeded } from "./seeded.ts";

/** Somebody in the run: a client, and what it does. */
export interface Actor {
  client: ChaosClient;
  rooms: readonly string[];
  /** Of all messages, how large a part is its own; 0 for one that only listens. */
  talks: number;
  /** It has left for good, by its own will. */
  isGone: boolean;
}

export interface CastOptions {
  clients: number;
  rooms: readonly string[];
  /** Before every client's name, for a stack that has had other runs. */
  prefix?: string;
  /** Whether somebody who never says what was received is among them. */
  deaf?: boolean;
  offenders?: boolean;
  /** The part of the clients that uses the gateway. */
  shared?: number;
  /** What stands behind members: our own sockets (the default), the SDK, or one of the two in turn. */
  client?: ClientKind;
}

export const CLIENT_KINDS = ["raw", "sdk", "mix"] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

export interface CastDeps {
  world: ChaosWorld;
  recorder: Recorder;
  secrets: SecretWatch;
  http: ChaosHttp;
  random: Seeded;
}

/** Every so-manieth only listens. */
const LISTENERS = 4;
const ROOMS_PER_SHARED = 3;

export function createHttp({ world, recorder, secrets }: Omit<CastDeps, "http" | "random">): ChaosHttp {
  return new ChaosHttp({ apiUrl: world.apiUrl, recorder, secrets, session: (user) => world.stack.session(user) });
}

/** Decides who there is: most on sockets of one room each, some on a shared one with several, both kinds of framing. */
export function castActors(options: CastOptions, deps: CastDeps): Actor[] {
  const { rooms, clients, prefix = "", deaf = true, offenders = true, shared = 0.2, client: kind = "raw" } = options;
  let sockets = 0;
  const nextSocket = () => ++sockets;
  const sharedClients = Math.round(clients * shared);
  const create = (name: string, at: number, isShared: boolean, role: ChaosClientOptions["role"]): Actor => {
    const own = roomsFor(rooms, at, isShared ? ROOMS_PER_SHARED : 1);
    const random = deps.random.fork();
    const client = new RawClient(
      { name: `${prefix}${name}`, user: `${prefix}user-${name}`, rooms: own, role },
      {
        ...deps,
        random: random.next,
        nextSocket,
        shared: isShared,
        lines: at % 2 === 0,
        address: addressOf(deps.world, isShared),
      },
    );
    return { client, rooms: own, talks: 1, isGone: false };
  };
  // Whoever breaks rules speaks the protocol itself: an SDK has no door for that.
  const createSdk = (at: number, count: number): Actor => {
    const own = roomsFor(rooms, at, count);
    const name = `${prefix}sdk-${at}`;
    const client = new SdkClient(
      { name, user: `user-${name}`, rooms: own, role: "member" },
      { ...deps, apiUrl: deps.world.apiUrl, wsUrl: deps.world.wsUrl, random: deps.random.fork().next, nextSocket },
    );
    return { client, rooms: own, talks: 1, isGone: false };
  };
  const actors = Array.from({ length: clients }, (_, at) => {
    const isShared = at < sharedClients;
    const isSdk = kind === "sdk" || (kind === "mix" && at % 2 === 1);
    const actor = isSdk
      ? createSdk(at, isShared ? ROOMS_PER_SHARED : 1)
      : create(`${isShared ? "shared" : "direct"}-${at}`, at, isShared, "member");
    const listens = at % LISTENERS === LISTENERS - 1;
    return { ...actor, talks: listens ? 0 : isShared ? 0.5 : 1 };
  });
  if (deaf) actors.push({ ...create("deaf", 0, false, "deaf"), talks: 0 });
  if (offenders) actors.push({ ...create("offender", 1, false, "offender"), talks: 0 });
  return actors;
}

function roomsFor(rooms: readonly string[], at: number, count: number): string[] {
  return Array.from({ length: Math.min(count, rooms.length) }, (_, step) => rooms[(at + step) % rooms.length] ?? "");
}

function addressOf(world: ChaosWorld, isShared: boolean): (room: string) => string {
  if (isShared) return (room) => `${world.wsUrl}?roomId=${room}`;
  return (room) => `${world.partyUrl.replace(/^http/, "ws")}/parties/main/${room}`;
}
