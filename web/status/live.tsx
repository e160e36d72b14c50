import { useEffect, useState } from "react";
import { ChatProvider, useChatClient, useConnection } from "../../client/react/index.ts";
import { type Session, tokensOf } from "../session/session.ts";
import { Spark } from "./spark.tsx";
import { BUCKET_MS, BUCKETS, useTraffic } from "./use-traffic.ts";

const STATES = {
  idle: "Not connected",
  connecting: "Connecting",
  online: "Connected",
  waiting: "Lost, coming back",
  offline: "Offline",
  stopped: "Stopped",
} as const;

/** What goes on in the rooms of whoever is signed in, on a socket of this page's own. */
export function Live({ session }: { session: Session | undefined }) {
  return (
    <section aria-labelledby="live-title">
      <h2 id="live-title">Live</h2>
      {session === undefined ? (
        <p className="hint">
          <a href="/">Sign in</a> to see what goes on in your channels.
        </p>
      ) : (
        <WithClient session={session} />
      )}
    </section>
  );
}

function WithClient({ session }: { session: Session }) {
  const [getToken] = useState(() => tokensOf(session));
  return (
    <ChatProvider getToken={getToken}>
      <Counters name={session.name} />
    </ChatProvider>
  );
}

function Counters({ name }: { name: string }) {
  const { state } = useConnection();
  const { rooms, people, messages, buckets } = useTraffic(useChatClient(), state === "online");
  const reconnects = useReconnects(state);
  const recent = buckets.slice(-60_000 / BUCKET_MS).reduce((sum, count) => sum + count, 0);
  return (
    <ul className="cards">
      <li className="tile wide">
        <h3>Messages in the last minute</h3>
        <p className="figure">{recent.toLocaleString()}</p>
        <Spark values={buckets} places={BUCKETS} label={`${recent} messages in the last minute`} />
      </li>
      <Counter title="People in your channels" value={people} />
      <Counter title="Messages ever sent in them" value={messages} />
      <Counter title="Channels followed" value={rooms} />
      <li className={`tile ${state === "online" ? "healthy" : "degraded"}`}>
        <h3>
          <span className="lamp" aria-hidden="true" /> Socket of {name}
        </h3>
        <p className="figure small">{STATES[state]}</p>
        <p className="hint">
          {reconnects === 0 ? "Never lost so far" : `Came back ${reconnects} ${reconnects === 1 ? "time" : "times"}`}
        </p>
      </li>
    </ul>
  );
}

function Counter({ title, value }: { title: string; value: number }) {
  return (
    <li className="tile">
      <h3>{title}</h3>
      <p className="figure">{value.toLocaleString()}</p>
    </li>
  );
}

function useReconnects(state: string): number {
  const [times, setTimes] = useState(-1);
  useEffect(() => {
    if (state === "online") setTimes((before) => before + 1);
  }, [state]);
  return Math.max(0, times);
}
