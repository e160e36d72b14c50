import { useCallback, useEffect, useState } from "react";
import type { ConnectionReply } from "../../protocol/http.ts";
import { ask, fieldOf } from "../session/request.ts";

type Step = ConnectionReply["steps"][number];
type Outcome = { steps: readonly Step[] } | { problem: string };

const NAMES = {
  postgres: "Writes to the database and reads it back",
  redis: "Counts in Redis",
  room: "Opens a room and hears from it",
  tokens: "Signs a token and verifies it",
} as const satisfies Record<Step["name"], string>;

/** Real round trips to everything, as long as each took. */
export function ConnectionTest() {
  const [outcome, setOutcome] = useState<Outcome>();
  const [isBusy, setIsBusy] = useState(false);
  const run = useCallback(() => {
    setIsBusy(true);
    void tryConnection().then((result) => {
      setOutcome(result);
      setIsBusy(false);
    });
  }, []);
  useEffect(run, [run]);
  const steps = outcome !== undefined && "steps" in outcome ? outcome.steps : [];
  const most = Math.max(1, ...steps.map(({ ms }) => ms));
  return (
    <section aria-labelledby="test-title">
      <div className="section-head">
        <h2 id="test-title">Connection test</h2>
        <button type="button" onClick={run} disabled={isBusy}>
          {isBusy ? "Running…" : "Run again"}
        </button>
      </div>
      <div aria-live="polite">
        {outcome !== undefined && "problem" in outcome && <p className="hint">{outcome.problem}</p>}
        <ol className="steps">
          {steps.map(({ name, ok, ms, hint }) => (
            <li key={name} className={ok ? "healthy" : "unhealthy"}>
              <span className="lamp" aria-hidden="true" />
              <span className="step-name">{NAMES[name]}</span>
              <meter className="bar" min={0} max={most} value={ms} aria-hidden="true" />
              <span className="ms">{ok ? `${Math.round(ms)} ms` : "failed"}</span>
              {hint !== undefined && <span className="hint">{hint}</span>}
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}

async function tryConnection(): Promise<Outcome> {
  try {
    const { response, reply } = await ask("/api/chat/test-connection");
    if (isReport(reply)) return { steps: reply.steps };
    if (response.status === 401)
      return { problem: "In production it needs an API key: ask /api/chat/test-connection with X-API-Key." };
    return { problem: fieldOf(reply, "detail") ?? `The server answered ${response.status}.` };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function isReport(reply: unknown): reply is ConnectionReply {
  return typeof reply === "object" && reply !== null && "steps" in reply && Array.isArray(reply.steps);
}
