import { readConfig, type SettingName, SETTINGS, type Variables } from "../../domain/config.ts";
import { checkProduction, type Finding } from "../production-rules.ts";
import { describeSetting, findRaw } from "../settings-table.ts";

/** What is going to be deployed, with every setting decided. */
export interface Plan {
  /** Undefined for production. */
  preview: string | undefined;
  apiUrl: string;
  partyUrl: string;
  /** Settings of the Worker: those anybody may see, and those nobody may. */
  worker: { vars: Record<string, string>; secrets: Record<string, string> };
  /** Settings of the rooms. PartyKit keeps all of them as secrets. */
  rooms: Record<string, string>;
}

/** Names of the project at the two platforms, for the addresses of a preview. */
export interface Names {
  worker: string;
  rooms: string;
}

/** Nothing was deployed; the message says why and what to do. */
export class DeployError extends Error {}

// Both platforms make a label of a host name of it, beside the project's own name and a dash.
const PREVIEW_NAME = /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

// Both platforms keep a secret that a deployment does not name. One that was taken away must end all the same, a previous
// signing secret above all, so it is written over with what every reader takes for unset.
const UNSET = " ";

/**
 * Decides every setting of a deployment, and refuses one that would not be safe.
 *
 * @throws {DeployError} for a bad name, for missing addresses, and for what `npm run doctor` would refuse
 */
export function planDeployment(variables: Variables, names: Names, preview: string | undefined): Plan {
  const settled = preview === undefined ? variables : { ...variables, ...previewSettings(variables, names, preview) };
  const worker = pickSettings(settled, ["all", "worker"]);
  const rooms = pickSettings(settled, ["all", "rooms"]);
  refuseUnsafe(preview === undefined ? checkProduction(settled, new Date()) : []);
  refuseUnsafe(startProblems(settled));
  refuseUnsafe(startProblems(rooms));
  const secrets = Object.fromEntries(Object.entries(worker).filter(([name]) => isSecret(name)));
  // Wrangler takes away a variable that is not named, so these need no blanks.
  const vars = Object.fromEntries(Object.entries(worker).filter(([name, raw]) => !isSecret(name) && raw !== UNSET));
  const { PUBLIC_URL: apiUrl = "", PARTY_URL: partyUrl = "" } = vars;
  return { preview, apiUrl, partyUrl, worker: { vars, secrets }, rooms };
}

/** A preview has its own addresses and its own environment; everything else comes from the settings that are given. */
function previewSettings(variables: Variables, names: Names, preview: string): Variables {
  if (!PREVIEW_NAME.test(preview))
    throw new DeployError(`Cannot name a preview "${preview}": must match [a-z][a-z0-9-], at most 32 characters`);
  const subdomain = need(variables, "CLOUDFLARE_WORKERS_SUBDOMAIN", "the part before .workers.dev in your addresses");
  const hasTeam = typeof variables["PARTYKIT_TEAM"] === "string" && variables["PARTYKIT_TEAM"] !== "";
  const owner = need(variables, hasTeam ? "PARTYKIT_TEAM" : "PARTYKIT_LOGIN", "whose name is in your rooms' addresses");
  return {
    ENVIRONMENT: "preview",
    STREAM_CHAT_ENVIRONMENT: undefined,
    PUBLIC_URL: `https://${preview}-${names.worker}.${subdomain}.workers.dev`,
    CHATSDK_API_URL: undefined,
    EXPO_PUBLIC_API_URL: undefined,
    PARTY_URL: `https://${preview}.${names.rooms}.${owner}.partykit.dev`,
    PARTYKIT_HOST: undefined,
  };
}

function need(variables: Variables, name: string, meaning: string): string {
  const value = variables[name];
  if (typeof value !== "string" || value === "") throw new DeployError(`Set ${name}: ${meaning}`);
  return value;
}

function pickSettings(variables: Variables, readers: readonly string[]): Record<string, string> {
  const names = Object.keys(SETTINGS) as SettingName[]; // the keys of the object itself
  const read = names.filter((name) => readers.includes(describeSetting(name).usedBy));
  return Object.fromEntries(read.map((name) => [name, findRaw(variables, name)?.raw ?? UNSET]));
}

function startProblems(variables: Variables): Finding[] {
  return readConfig(variables).problems.map(({ name, problem }) => ({ level: "stop", name, message: problem }));
}

function refuseUnsafe(findings: readonly Finding[]): void {
  const stops = findings.filter(({ level }) => level === "stop");
  if (stops.length === 0) return;
  const lines = stops.map(({ name, message }) => `  ${name} ${message}`);
  throw new DeployError(`These settings are not safe to deploy, and nothing was deployed:\n${lines.join("\n")}`);
}

function isSecret(name: string): boolean {
  return describeSetting(name as SettingName).secret === true; // picked from the settings' own names
}
