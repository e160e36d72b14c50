import { benchApiKeys } from "./api-keys.ts";
import { benchFanout } from "./fanout.ts";
import { benchHistory } from "./history.ts";
import { benchModeration } from "./moderation.ts";
import { benchNeighbours } from "./neighbours.ts";
import { benchOutage } from "./outage.ts";
import { benchPresence } from "./presence.ts";
import { benchStorm } from "./storm.ts";
import { benchTokens } from "./tokens.ts";

const BENCHMARKS: Record<string, { about: string; run: () => Promise<void> }> = {
  tokens: {
    about: "a token exchange next to bare Hono and to Express, the Worker's size and start, and a page of history",
    run: async () => {
      await benchTokens();
      await benchHistory();
    },
  },
  history: { about: "only the page of history: deep inside a million messages, next to the newest", run: benchHistory },
  fanout: {
    about: "one room with 10, 100 and 1,000 listeners, next to a bare ws server, Socket.IO and a bare PartyKit room",
    run: () => benchFanout(),
  },
  moderation: {
    about: "what the content filter costs a message, attacks included, what it finds and what it finds wrongly",
    run: benchModeration,
  },
  presence: { about: "what five hundred people who join one room hear of each other", run: benchPresence },
  storm: { about: "a thousand clients come back after their room was killed", run: benchStorm },
  outage: { about: "how long acks take while Postgres is away", run: benchOutage },
  neighbours: {
    about: "how long acks take while one socket floods its room or does not read, in that room and in another",
    run: benchNeighbours,
  },
  keys: { about: "whether the time of an answer tells how much of a wrong API key is right", run: benchApiKeys },
};

const HELP = `Usage: npm run bench -- NAME...

Measures, and prints what it measured next to the goal.

${Object.entries(BENCHMARKS)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join("\n")}
  --help    this text`;

await main(process.argv.slice(2));

async function main(names: string[]): Promise<void> {
  if (names.includes("--help") || names.includes("-h")) return console.log(HELP);
  const unknown = names.find((name) => !Object.hasOwn(BENCHMARKS, name));
  if (unknown !== undefined || names.length === 0) {
    const problem = unknown === undefined ? "Cannot measure nothing: name a benchmark" : `Cannot measure "${unknown}"`;
    console.error(`${problem}; see npm run bench -- --help`);
    process.exitCode = 2;
    return;
  }
  for (const name of names) await BENCHMARKS[name]?.run();
}
