import { parentPort } from "node:worker_threads";
import { Proxies } from "./proxies.ts";
import type { Call, Reply } from "./thread.ts";

// Runs as a thread: does what it is asked until it is terminated.
const proxies = new Proxies();
parentPort?.on("message", (call: Call) => void serve(call));

async function serve({ id, name, args }: Call): Promise<void> {
  const say = (reply: Reply): void => parentPort?.postMessage(reply);
  try {
    const method = proxies[name] as (...args: unknown[]) => unknown; // arguments are typed where the call is made
    say({ id, result: await method.apply(proxies, args) });
  } catch (error) {
    say({ id, failure: error instanceof Error ? error.message : String(error) });
  }
}
