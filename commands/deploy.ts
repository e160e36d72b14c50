import { parseArgs } from "node:util";
import { readVariables } from "./read-variables.ts";
import { DeployError, type Plan, planDeployment } from "./deploy/plan.ts";
import { rehearse } from "./deploy/rehearsal.ts";
import { build, deployRooms, deployWorker, readNames } from "./deploy/tools.ts";

const HELP = `Usage: npm run deploy [-- OPTIONS]
       npm run deploy:preview -- NAME [OPTIONS]

Deploys both halves, the rooms to PartyKit and the Worker to Cloudflare, with the settings of this shell or of a file.
Production is refused when npm run doctor would refuse it. A preview gets addresses of its own, NAME in front.

  --env-file FILE   read the settings from this file instead of this shell
  --dry-run         do everything but deploy: needs no account and no network
  --json            print {"environment","apiUrl","partyUrl","wsUrl","deployed"} for machines
  --help            this text

Accounts: CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID, PARTYKIT_LOGIN, PARTYKIT_TOKEN; a preview needs
CLOUDFLARE_WORKERS_SUBDOMAIN too. docs/deployment.md says where each comes from.`;

await main();

async function main(): Promise<void> {
  // Looked for first: in "deploy:preview -- --help" it stands where the preview's name belongs.
  if (process.argv.includes("--help") || process.argv.includes("-h")) return console.log(HELP);
  const options = readOptions();
  if (options === undefined) return;
  const say = (line: string) => (options.json === true ? console.error(line) : console.log(line));
  try {
    const { variables } = await readVariables({ envFile: options["env-file"], dataDir: undefined });
    const accounts = pickAccounts({ ...process.env, ...variables });
    const plan = planDeployment({ ...accounts, ...variables }, await readNames(), options.preview);
    const dryRun = options["dry-run"] === true;
    say(`Settings are safe for ${plan.preview === undefined ? "production" : `the preview ${plan.preview}`}`);
    await deploy(plan, accounts, dryRun, say);
    console.log(options.json === true ? JSON.stringify(summary(plan, !dryRun)) : describe(plan, dryRun));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        preview: { type: "boolean" }, // from the script's name; NAME follows it
        "env-file": { type: "string" },
        "dry-run": { type: "boolean" },
        json: { type: "boolean" },
      },
    });
    const [name, ...others] = values.preview === true ? positionals : [undefined, ...positionals];
    if (values.preview === true && name === undefined) throw new Error("Cannot deploy a preview without a NAME");
    if (others[0] !== undefined) throw new Error(`Cannot take "${others[0]}"`);
    return { ...values, preview: name };
  } catch (error) {
    const [problem = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    console.error(`${problem}; see npm run deploy -- --help`);
    process.exitCode = 2;
    return undefined;
  }
}

/** The rooms first: they understand the old Worker, but an old room may not understand the new one. */
async function deploy(
  plan: Plan,
  accounts: Record<string, string>,
  dryRun: boolean,
  say: (line: string) => void,
): Promise<void> {
  await build();
  say("Built both halves");
  if (dryRun) {
    const bytes = await rehearse((local) => deployRooms(plan, { ...accounts, ...local }));
    say(`Rehearsed deploying the rooms (${bytes} bytes)`);
    await deployWorker(plan, accounts, true);
    say("Rehearsed deploying the Worker");
    return;
  }
  await deployRooms(plan, accounts);
  say(`Deployed the rooms to ${plan.partyUrl}`);
  const output = await deployWorker(plan, accounts, false);
  if (plan.preview !== undefined && !output.includes(plan.apiUrl))
    throw new DeployError(
      `The Worker was uploaded, but not under ${plan.apiUrl}: is CLOUDFLARE_WORKERS_SUBDOMAIN right, and are preview URLs on?`,
    );
  say(`Deployed the Worker to ${plan.apiUrl}`);
}

function pickAccounts(variables: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).filter(
      (entry): entry is [string, string] => /^(CLOUDFLARE|PARTYKIT)_/.test(entry[0]) && typeof entry[1] === "string",
    ),
  );
}

function summary({ preview, apiUrl, partyUrl }: Plan, deployed: boolean) {
  const environment = preview === undefined ? "production" : "preview";
  return { environment, apiUrl, partyUrl, wsUrl: `${apiUrl.replace(/^http/, "ws")}/ws`, deployed };
}

function describe(plan: Plan, dryRun: boolean): string {
  const { apiUrl, partyUrl, wsUrl } = summary(plan, !dryRun);
  const head = dryRun ? "Nothing was deployed. It would be at:" : "Deployed. Now: npm run smoke -- --url " + apiUrl;
  return [head, `  HTTP     ${apiUrl}`, `  sockets  ${wsUrl}`, `  rooms    ${partyUrl}`].join("\n");
}
