import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import { readPartyConfig } from "./party-config.ts";
import { writePrivateFile } from "./private-file.ts";
import { PROJECT_DIR } from "./project.ts";
import type { PartOptions } from "./worker.ts";

/** Starts the rooms under `partykit dev`, with their settings in a config file that only its owner can read. */
export async function startRooms(options: PartOptions): Promise<Child> {
  const { dataDir, port, settings, logFile, appendLog, onLine } = options;
  const config = await readPartyConfig();
  const main = options.entry ?? config.main;
  const configFile = join(dataDir.state, "partykit.json");
  await writePrivateFile(configFile, JSON.stringify({ ...config, main, port, vars: settings }, undefined, 2));
  // prettier-ignore
  const args = [
    "--import", join(import.meta.dirname, "partykit-on-loopback.ts"),
    join(PROJECT_DIR, "node_modules/partykit/dist/bin.mjs"), "dev", "--config", configFile, "--port", String(port),
    "--persist", join(dataDir.state, "rooms"), "--disable-request-cf-fetch", "--no-hotkeys",
  ];
  const environment = { NO_UPDATE_NOTIFIER: "1" };
  return await startChild({ args, environment, logFile, appendLog, onLine });
}
