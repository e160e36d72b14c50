import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { type Child, startChild } from "./child.ts";
import { writePrivateFile } from "./private-file.ts";
import { PROJECT_DIR } from "./project.ts";
import type { PartOptions } from "./worker.ts";

const PartyConfig = z.looseObject({ main: z.string() });

/** Starts the rooms under `partykit dev`, with their settings in a config file that only its owner can read. */
export async function startRooms(options: PartOptions): Promise<Child> {
  const { dataDir, port, settings, logFile, appendLog, onLine } = options;
  const config = PartyConfig.parse(JSON.parse(await readFile(join(PROJECT_DIR, "partykit.json"), "utf8")));
  const configFile = join(dataDir.state, "partykit.json");
  const main = options.entry ?? join(PROJECT_DIR, config.main);
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
