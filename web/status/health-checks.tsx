import type { Check, Health } from "./ask-health.ts";
import { Spark } from "./spark.tsx";

const PLACES = 60;

const NAMES = {
  config: "Settings",
  postgres: "Database",
  redis: "Redis",
  rooms: "Rooms",
  identity: "Sign-in",
} as const satisfies Record<Check["name"], string>;

const SETTINGS_WORDS = { healthy: "In order", degraded: "Look at them", unhealthy: "Wrong" } as const;
const WORDS = { healthy: "Works", degraded: "Amiss", unhealthy: "Broken" } as const;

/** A card for each thing this deployment leans on, with the last five minutes of it. */
export function HealthChecks({ newest, history }: { newest: Health | undefined; history: readonly Health[] }) {
  const roundTrips = history.map(({ roundTripMs }) => roundTripMs);
  return (
    <section aria-labelledby="health-title">
      <h2 id="health-title">Health</h2>
      <ul className="cards">
        <li className={`tile ${newest?.status === "unreachable" ? "unhealthy" : "healthy"}`}>
          <h3>
            <span className="lamp" aria-hidden="true" /> Worker
          </h3>
          <p className="figure">
            {newest?.roundTripMs === undefined ? "–" : Math.round(newest.roundTripMs)}
            <span className="unit"> ms round trip</span>
          </p>
          <Spark values={roundTrips} places={PLACES} label={spoken("Worker", roundTrips)} />
        </li>
        {newest?.checks.map((check) => {
          const times = history.map(({ checks }) => checks.find(({ name }) => name === check.name)?.ms);
          return <CheckTile key={check.name} check={check} times={times} />;
        })}
      </ul>
    </section>
  );
}

function CheckTile({ check: { name, status, ms, hint }, times }: { check: Check; times: (number | undefined)[] }) {
  return (
    <li className={`tile ${status}`}>
      <h3>
        <span className="lamp" aria-hidden="true" /> {NAMES[name]}
      </h3>
      <p className="figure">
        {name === "config" ? SETTINGS_WORDS[status] : Math.round(ms)}
        {name !== "config" && <span className="unit"> ms · {WORDS[status].toLowerCase()}</span>}
      </p>
      {hint !== undefined && <p className="hint">{hint}</p>}
      {name !== "config" && <Spark values={times} places={PLACES} label={spoken(NAMES[name], times)} />}
    </li>
  );
}

function spoken(name: string, times: readonly (number | undefined)[]): string {
  const known = times.filter((time) => time !== undefined);
  if (known.length === 0) return `${name}: no answers yet`;
  return `${name}: ${known.length} answers, the slowest after ${Math.round(Math.max(...known))} ms`;
}
