import type { Deed } from "../proxy/rules.ts";
import { seeded } from "../proxy/rules.ts";
import type { FaultOptions, Hop } from "../types.ts";
import type { Fault } from "./injected.ts";

interface RuleFault {
  hops: readonly Hop[];
  deed: Deed | ((random: () => number) => Deed);
  /** Of connections, or of frames or requests for deeds that hit those. */
  share: number;
  what: string;
}

/** A fault that is nothing but a rule of the proxies. */
export function byRule({ hops, deed, share, what }: RuleFault): Fault {
  return async ({ proxies }, options) => {
    const { seed, rooms } = options;
    const does = typeof deed === "function" ? deed(seeded(seed)) : deed;
    const rule = await proxies.impose({
      hops: within(hops, options),
      rooms,
      share: options.share ?? share,
      seed,
      ...does,
    });
    return async () => ({ hits: await proxies.lift(rule), what });
  };
}

/** Cuts sockets once; there is nothing to mend, they come back by themselves. */
export function byCut({ hops, share, what }: Omit<RuleFault, "deed">): Fault {
  return async ({ proxies }, options) => {
    const { seed, rooms, share: wanted = share } = options;
    const how = seeded(seed)() < 0.5 ? "fin" : "rst";
    const hits = await proxies.cut({ hops: within(hops, options), rooms, share: wanted, seed }, how);
    return async () => ({ hits, what });
  };
}

function within(hops: readonly Hop[], { hops: wanted = hops }: FaultOptions): Hop[] {
  return hops.filter((hop) => wanted.includes(hop));
}

const CLIENTS: readonly Hop[] = ["worker", "rooms"];
const BOTH = ["up", "down"] as const;
/** What a client notices the lack of, and what it must recognize when it comes again: by `seq` and client id. */
const NUMBERED = ["message", "ack"];

export const framesDropped = byRule({
  hops: CLIENTS,
  deed: { do: "drop", directions: BOTH, types: NUMBERED },
  share: 0.05,
  what: "frames dropped",
});
export const framesDelayed = byRule({
  hops: CLIENTS,
  deed: (random) => ({ do: "delay", directions: BOTH, delayMs: 200 + random() * 1_300 }),
  share: 0.5,
  what: "frames and requests delayed",
});
export const framesDoubled = byRule({
  hops: CLIENTS,
  deed: { do: "double", directions: BOTH, types: NUMBERED },
  share: 0.2,
  what: "frames doubled",
});
// Not upwards: the order of one socket's sends is something that is looked at.
export const framesSwapped = byRule({
  hops: CLIENTS,
  deed: { do: "swap", directions: ["down"], types: NUMBERED },
  share: 0.2,
  what: "pairs of frames swapped",
});
export const acksDropped = byRule({
  hops: CLIENTS,
  deed: { do: "drop", directions: ["down"], types: ["ack"] },
  share: 0.5,
  what: "acks dropped",
});
export const halfOpen = byRule({
  hops: CLIENTS,
  deed: (random) => ({ do: "hang", directions: ([["up"], ["down"], BOTH] as const)[Math.floor(random() * 3)] ?? BOTH }),
  share: 0.3,
  what: "connections and requests hung",
});
export const readerStalled = byRule({
  hops: CLIENTS,
  deed: { do: "stall" },
  share: 0.2,
  what: "connections that were written to and not read",
});
export const socketsCut = byCut({ hops: CLIENTS, share: 1, what: "sockets cut" });

/** Half of the sockets are cut, and nobody gets in again until it is healed. */
export const connectionsRefused: Fault = async (grounds, options) => {
  const refusal = byRule({ hops: CLIENTS, deed: { do: "refuse" }, share: 1, what: "connections and requests refused" });
  const mend = await refusal(grounds, { ...options, share: 1 });
  await socketsCut(grounds, { share: 0.5, ...options });
  return mend;
};

export const gatewayCut = byCut({ hops: ["gateway"], share: 1, what: "sockets from the gateway to rooms cut" });
export const gatewayHangs = byRule({
  hops: ["gateway"],
  deed: { do: "hang", directions: BOTH },
  share: 0.5,
  what: "connections and requests from the Worker to rooms hung",
});
export const gatewayDelayed = byRule({
  hops: ["gateway"],
  deed: (random) => ({ do: "delay", directions: BOTH, delayMs: 100 + random() * 700 }),
  share: 0.5,
  what: "frames and requests between gateway and rooms delayed",
});

export const postgresRefuses = onPostgres({ do: "refuse" }, 1, "queries refused");
export const postgresHangs = onPostgres({ do: "hang", directions: BOTH }, 1, "queries hung");
export const postgresSlow = onPostgres({ do: "delay", directions: BOTH, delayMs: 1_500 }, 1, "queries slowed down");
export const postgresLosesAnswers = onPostgres({ do: "lose_answers" }, 0.7, "answers of the database lost");

function onPostgres(deed: Deed, share: number, what: string): Fault {
  return byRule({ hops: ["postgres"], deed, share, what });
}

export const redisRefuses = byRule({
  hops: ["redis"],
  deed: { do: "refuse" },
  share: 1,
  what: "Redis commands refused",
});
export const redisHangs = byRule({
  hops: ["redis"],
  deed: { do: "hang", directions: BOTH },
  share: 1,
  what: "Redis commands hung",
});
