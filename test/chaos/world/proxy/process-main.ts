import { Proxies } from "./proxies.ts";
import type { Call, Reply } from "./process.ts";

// Runs as a process: does what it is asked until whoever started it ends it, or is gone.
process.once("disconnect", () => process.exit());
const proxies = new Proxies();
process.on("message", (call: Call) => void serve(call));

async function serve({ id, name, args }: Call): Promise<void> {
  const say = (reply: Reply): void => void process.send?.(reply);
  try {
    const method = proxies[name] as (...args: unknown[]) => unknown; // arguments are typed where the call is made
    say({ id, result: await method.apply(proxies, args) });
  } catch (error) {
    say({ id, failure: error instanceof Error ? error.message : String(error) });
  }
}
