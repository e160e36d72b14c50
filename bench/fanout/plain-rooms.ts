import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import * as z from "zod";
import { readPartyConfig } from "../../dev/party-config.ts";
import { PROJECT_DIR } from "../../dev/project.ts";
import { type BenchServer, serveFolder } from "../workerd.ts";
import { freePort } from "../../dev/free-port.ts";

const RuntimeAsked = z.looseObject({ compatibilityDate: z.string(), compatibilityFlags: z.array(z.string()) });

/**
 * Starts rooms under the workerd that is current, instead of the one of 2024 that `partykit dev` brings: PartyKit's own
 * code around the parties, as it is deployed, and nothing else.
 */
export async function startPlainRooms(main?: string, settings: Record<string, string> = {}): Promise<BenchServer> {
  const config = await readPartyConfig();
  const { compatibilityDate, compatibilityFlags } = RuntimeAsked.parse(config);
  const parties = main === undefined ? config.parties : {};
  const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const port = await freePort();
  await mkdir(join(folder, "storage"));
  await writeFile(join(folder, "rooms.js"), await bundleRooms(main ?? config.main, parties, port));
  const objects = { PARTYKIT_DURABLE: "PartyKitDurable", ...mapKeys(parties, (name) => `${name}DO`) };
  await writeFile(
    join(folder, "config.capnp"),
    configOf({ port, folder, objects, settings, compatibilityDate, compatibilityFlags }),
  );
  return await serveFolder(folder, port);
}

/** What `partykit deploy` makes of the parties: its facade with them inside, in one module. */
async function bundleRooms(main: string, parties: Record<string, string>, port: number): Promise<string> {
  const facade = await readFile(join(PROJECT_DIR, "node_modules/partykit/dist/generated.js"), "utf8");
  const others = Object.entries(parties).map(
    ([name, file]) =>
      `import ${name} from ${JSON.stringify(file)};
       export const ${name}DO = createDurable(${name}, { name: "${name}" });
       Workers["${name}"] = ${name};`,
  );
  const contents = facade
    .replace("__WORKER__", main)
    .replace("__R2_BINDINGS__", "[]")
    .replace("__KV_BINDINGS__", "[]")
    .replace("__PARTIES__", () => others.join("\n"));
  const result = await build({
    stdin: { contents, resolveDir: PROJECT_DIR },
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["partykit", "workerd", "worker"],
    external: ["node:*", "cloudflare:*"],
    define: { PARTYKIT_HOST: `"127.0.0.1:${port}"`, PARTYKIT_API_BASE: '""' },
    plugins: [noAssets],
    write: false,
    logLevel: "error",
  });
  return result.outputFiles[0]?.text ?? "";
}

/** The list of a deployment's static files, of which the rooms have none. */
const noAssets: Plugin = {
  name: "no-assets",
  setup(build) {
    build.onResolve({ filter: /^__STATIC_ASSETS_MANIFEST__$/ }, ({ path }) => ({ path, namespace: "no-assets" }));
    build.onLoad({ filter: /.*/, namespace: "no-assets" }, () => ({ contents: "export default { assets: {} };" }));
  },
};

interface RoomsConfig {
  port: number;
  folder: string;
  /** Class names of objects by the names they are bound to. */
  objects: Record<string, string>;
  settings: Record<string, string>;
  compatibilityDate: string;
  compatibilityFlags: string[];
}

function configOf({ port, folder, objects, settings, compatibilityDate, compatibilityFlags }: RoomsConfig): string {
  const text = (value: string) => JSON.stringify(value);
  const variables = Object.entries(settings).map(
    ([name, value]) => `(name = ${text(`pkvar-${name}`)}, text = ${text(value)})`,
  );
  const bound = Object.entries(objects).map(
    ([name, className]) => `(name = ${text(name)}, durableObjectNamespace = ${text(className)})`,
  );
  const classes = Object.values(objects).map((name) => `(className = ${text(name)}, uniqueKey = ${text(name)})`);
  const flags = ["nodejs_compat", ...compatibilityFlags].map(text);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "rooms", worker = .rooms),
    (name = "internet", network = (allow = ["public", "private", "local"])),
    (name = "storage", disk = (path = ${text(join(folder, "storage"))}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "rooms")],
);
const rooms :Workerd.Worker = (
  modules = [(name = "rooms", esModule = embed "rooms.js")],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = [${flags.join(", ")}],
  bindings = [${[...variables, ...bound].join(", ")}],
  durableObjectNamespaces = [${classes.join(", ")}],
  durableObjectStorage = (localDisk = "storage"),
);
`;
}

function mapKeys(record: Record<string, string>, valueOf: (key: string) => string): Record<string, string> {
  return Object.fromEntries(Object.keys(record).map((key) => [key, valueOf(key)]));
}
