import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { PROJECT_DIR } from "./project.ts";

const PartyConfig = z.looseObject({ name: z.string(), main: z.string(), parties: z.record(z.string(), z.string()) });
type PartyConfig = z.infer<typeof PartyConfig>;

/** `partykit.json`, with paths that hold wherever a copy of it is put. */
export async function readPartyConfig(): Promise<PartyConfig> {
  const config = PartyConfig.parse(JSON.parse(await readFile(join(PROJECT_DIR, "partykit.json"), "utf8")));
  const parties: Record<string, string> = {};
  for (const [name, file] of Object.entries(config.parties)) parties[name] = join(PROJECT_DIR, file);
  return { ...config, main: join(PROJECT_DIR, config.main), parties };
}
