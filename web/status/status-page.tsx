import { useState } from "react";
import { storedSession } from "../session/session.ts";
import { ThemeSwitch } from "../theme/theme-switch.tsx";
import { askHealth, type Health } from "./ask-health.ts";
import { ConnectionTest } from "./connection-test.tsx";
import { HealthChecks } from "./health-checks.tsx";
import { Live } from "./live.tsx";
import { usePolled } from "./use-polled.ts";

const VERDICTS = {
  healthy: "Everything works",
  degraded: "It works, with something amiss",
  unhealthy: "Something is broken",
  unreachable: "The server cannot be reached",
} as const satisfies Record<Health["status"], string>;

/** How this deployment is, at a glance: what it leans on, whether messages get through, what goes on in its rooms. */
export function StatusPage() {
  const { newest, history } = usePolled(askHealth);
  const [session] = useState(storedSession);
  return (
    <div className="status">
      <header className="status-head">
        <a className="brand" href="/">
          <img src="/favicon.svg" alt="" width="26" height="26" /> Parley
        </a>
        <nav aria-label="Pages">
          <a href="/">Chat</a>
          <a href="/api/chats/docs">HTTP interface</a>
        </nav>
        <ThemeSwitch />
      </header>
      <main>
        <h1 className="unseen">Status</h1>
        <p className={`verdict ${newest?.status ?? "pending"}`} role="status">
          <span className="lamp" aria-hidden="true" />
          {newest === undefined ? "Asking…" : VERDICTS[newest.status]}
        </p>
        <HealthChecks newest={newest} history={history} />
        <ConnectionTest />
        <Live session={session} />
      </main>
    </div>
  );
}
