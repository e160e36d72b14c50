import * as byRule from "./faults/by-rule.ts";
import { roomFlooded } from "./faults/flood.ts";
import { type Fault, type Grounds, start } from "./faults/injected.ts";
import * as process from "./faults/rooms-process.ts";
import * as services from "./faults/services.ts";
import type { FaultName, FaultOptions, Injected } from "./types.ts";

const FAULTS: Record<FaultName, Fault> = {
  rooms_killed: process.roomsKilled,
  rooms_stopped: process.roomsStopped,
  rooms_evicted: process.roomsEvicted,
  rooms_redeployed: process.roomsRedeployed,
  clock_forward: process.clockForward,
  clock_back: process.clockBack,
  postgres_refuses: byRule.postgresRefuses,
  postgres_hangs: byRule.postgresHangs,
  postgres_slow: byRule.postgresSlow,
  postgres_loses_answers: byRule.postgresLosesAnswers,
  postgres_refuses_rows: services.postgresRefusesRows,
  redis_refuses: byRule.redisRefuses,
  redis_hangs: byRule.redisHangs,
  issuer_down: services.issuerDown,
  issuer_rotates: services.issuerRotates,
  frames_dropped: byRule.framesDropped,
  frames_delayed: byRule.framesDelayed,
  frames_doubled: byRule.framesDoubled,
  frames_swapped: byRule.framesSwapped,
  acks_dropped: byRule.acksDropped,
  half_open: byRule.halfOpen,
  reader_stalled: byRule.readerStalled,
  sockets_cut: byRule.socketsCut,
  connections_refused: byRule.connectionsRefused,
  gateway_cut: byRule.gatewayCut,
  gateway_hangs: byRule.gatewayHangs,
  gateway_delayed: byRule.gatewayDelayed,
  room_flooded: roomFlooded,
};

/** Does this to a world; the result says what came of it and ends it. */
export async function inject(grounds: Grounds, name: FaultName, options: FaultOptions): Promise<Injected> {
  return await start(name, FAULTS[name], { grounds, options });
}
