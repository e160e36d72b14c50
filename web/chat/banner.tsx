import { useEffect, useState } from "react";
import type { ConnectionChange } from "../../client/types.ts";

/** What to do about a connection that the server ended for good, by its close code. */
const STOPPED: Readonly<Record<number, string>> = {
  4505: "This page's address is not among the origins this server allows: add it to ALLOWED_ORIGINS.",
  4506: "You have been banned here.",
  4507: "You are connected in too many windows. Close one of them, then connect again.",
  4508: "Too many mistakes in a row. Load this page again.",
};

interface BannerProps {
  connection: ConnectionChange;
  onConnect: () => void;
}

/** Stands above the conversation while there is no connection: what is happening, and what one can do. */
export function Banner({ connection, onConnect }: BannerProps) {
  const { state, code, error } = connection;
  if (state === "online" || state === "idle") return null;
  if (state === "connecting") return connection.attempt === undefined ? null : <Strip words="Connecting again…" />;
  if (state === "offline") return <Strip words="You are offline. Messages wait until you are back." />;
  if (state === "waiting") return <Waiting connection={connection} onConnect={onConnect} />;
  return (
    <div className="banner stopped" role="alert">
      <span>{STOPPED[code ?? 0] ?? `The server ended the connection: ${error?.message ?? `code ${code}`}.`}</span>
      <button type="button" onClick={onConnect}>
        Connect again
      </button>
    </div>
  );
}

function Strip({ words }: { words: string }) {
  return (
    <div className="banner" role="status">
      <span>{words}</span>
    </div>
  );
}

/** The countdown is for eyes; a reader of the screen hears once that the connection is lost. */
function Waiting({ connection, onConnect }: BannerProps) {
  const seconds = useCountdown(connection);
  return (
    <div className="banner">
      <span role="status">Connection lost. Messages wait.</span>
      <span className="countdown" aria-hidden="true">
        {seconds > 0 ? `Trying again in ${seconds} s` : "Trying again…"}
      </span>
      <button type="button" onClick={onConnect}>
        Try now
      </button>
    </div>
  );
}

function useCountdown({ retryInMs = 0 }: ConnectionChange): number {
  const [left, setLeft] = useState(Math.ceil(retryInMs / 1_000));
  useEffect(() => {
    const until = performance.now() + retryInMs;
    const tick = () => setLeft(Math.max(0, Math.ceil((until - performance.now()) / 1_000)));
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [retryInMs]);
  return left;
}
