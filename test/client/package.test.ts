import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build, transform } from "esbuild";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildClient } from "../../commands/build/client.ts";
import { readCodeBlocks } from "../support/guide-blocks.ts";
import { hospitable, tokenOf } from "./react/chat-app.ts";
import { ScriptedServer } from "./scripted-server.ts";

/**
 * Gzipped, as published. The core is all that is needed to connect, to send and receive, and to catch up on what a room
 * still has: an app loads it first. The part for HTTP (older history, long absences, channels) follows when it is needed.
 */
const LIMITS_BYTES = { core: 8 * 1_024, http: 1_500, storage: 1_900, react: 3 * 1_024 };
/** esbuild names variables anew, and less well. This is the core and the part for HTTP as an app gets them that uses it. */
const ESBUILD_LIMITS_BYTES = { core: 8_700, withHttp: 9_750 };

const run = promisify(execFile);
const modules = resolve("node_modules");

let work: string;
let built: string;
let tarball: string;
/** An app that has installed the package, and React beside it. */
let app: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "parley-package-"));
  built = join(work, "built");
  await buildClient(built);
  const { stdout } = await run("npm", ["pack", built, "--json", "--pack-destination", work], { cwd: work });
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  tarball = join(work, packed?.filename ?? "");
  app = join(work, "app");
  await mkdir(join(app, "node_modules"), { recursive: true });
  await writeFile(join(app, "package.json"), JSON.stringify({ name: "app", type: "module", private: true }));
  await run("npm", ["install", tarball, "--offline", "--no-save", "--no-audit", "--legacy-peer-deps"], { cwd: app });
  for (const name of ["react", "@types/react", "csstype", "ws"]) {
    await mkdir(join(app, "node_modules", name, ".."), { recursive: true });
    await symlink(join(modules, name), join(app, "node_modules", name));
  }
}, 120_000);
afterAll(() => rm(work, { recursive: true, force: true }));

/** What an app's bundler makes of the built files. */
async function weigh(contents: string, external: string[] = []): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: built },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    external,
  });
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}

const read = (file: string) => readFile(join(built, file), "utf8");

describe("the package", () => {
  it("S3-11 has a door for the core and one for React, their types, source maps and nothing else", async () => {
    expect((await readdir(built)).sort()).toEqual(
      ["http", "index", "react", "storage"]
        .flatMap((file) => [`${file}.js`, `${file}.js.map`])
        .concat("LICENSE", "README.md", "index.d.ts", "package.json", "react.d.ts")
        .sort(),
    );
    expect(JSON.parse(await read("package.json"))).toMatchObject({
      name: "parley",
      license: "MIT",
      type: "module",
      sideEffects: false,
      peerDependencies: { react: ">=18" },
      peerDependenciesMeta: { react: { optional: true } },
    });
    expect(JSON.parse(await read("package.json"))).not.toHaveProperty("dependencies");
  });

  it("has a core of 8 kB at most and small other parts, minified and gzipped", async () => {
    const gzipped = async (file: string) => gzipSync(await read(file), { level: 9 }).length;
    const sizes = {
      core: await gzipped("index.js"),
      http: await gzipped("http.js"),
      storage: await gzipped("storage.js"),
      react: await gzipped("react.js"),
    };
    console.log(`gzipped: ${JSON.stringify(sizes)}`);
    for (const [part, limit] of Object.entries(LIMITS_BYTES))
      expect.soft(sizes[part as keyof typeof sizes], part).toBeLessThanOrEqual(limit);
  });

  it("stays small in an app that esbuild minifies once more, without what the app does not use", async () => {
    const use = `export { ChatClient, ChatError } from "./index.js";`;
    const sizes = { core: await weigh(use, ["./http.js"]), withHttp: await weigh(use) };
    console.log(`gzipped, by esbuild: ${JSON.stringify(sizes)}`);
    expect.soft(sizes.core).toBeLessThanOrEqual(ESBUILD_LIMITS_BYTES.core);
    expect.soft(sizes.withHttp).toBeLessThanOrEqual(ESBUILD_LIMITS_BYTES.withHttp);
  });

  it("imports nothing but its own parts, and React in the React part", async () => {
    const importsOf = async (file: string) => {
      const { metafile } = await build({
        entryPoints: [join(built, file)],
        bundle: true,
        write: false,
        metafile: true,
        format: "esm",
        external: ["*"],
      });
      const [input] = Object.values(metafile.inputs);
      return [...new Set(input?.imports.map(({ path, kind }) => `${path} (${kind})`))].sort();
    };
    const statically = (path: string) => `${path} (import-statement)`;
    expect(await importsOf("index.js")).toEqual(["./http.js (dynamic-import)", statically("./storage.js")]);
    expect(await importsOf("http.js")).toEqual([statically("./index.js")]);
    expect(await importsOf("storage.js")).toEqual([statically("./index.js")]);
    expect(await importsOf("react.js")).toEqual([statically("./index.js"), statically("react")]);
  });

  it("has types that need nothing else: no zod, no file of this project", async () => {
    const imported = async (file: string) =>
      [...(await read(file)).matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)].map(([, path = ""]) => path).sort();
    expect([await imported("index.d.ts"), await imported("react.d.ts")]).toEqual([[], ["./index.js", "react"]]);
  });

  it("S3-11 passes publint", async () => {
    const { messages } = await publint({ pkgDir: built, pack: false, strict: true });
    expect(messages).toEqual([]);
  });

  it("S3-11 passes arethetypeswrong, as a package that is only ES modules", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball))));
    expect(analysis.types).toMatchObject({ kind: "included" });
    const { problems } = analysis as { problems: { kind: string; resolutionKind?: string }[] };
    // require() of an ES module is what it says: Node has it from 20.19 on, and there is no other build.
    expect(problems.filter(({ kind }) => kind !== "CJSResolvesToESM")).toEqual([]);
  });
});

describe("an app that has installed it", () => {
  it("S3-11 imports both from plain Node, and they share one core", async () => {
    await writeFile(
      join(app, "run.js"),
      `import * as core from "parley";
       import * as react from "parley/react";
       const client = new core.ChatClient({ apiUrl: "http://127.0.0.1:9", token: "t", wsToken: "w" });
       console.log(JSON.stringify([Object.keys(core), Object.keys(react), client.connectionState]));`,
    );
    const { stdout } = await run(join(modules, ".bin/node"), ["run.js"], { cwd: app });
    expect(JSON.parse(stdout)).toEqual([
      expect.arrayContaining(["ChatClient", "ChatError", "browserStorage"]),
      expect.arrayContaining(["ChatProvider", "useChat", "useChatToken", "usePresence", "useTyping", "useUnread"]),
      "idle",
    ]);
  });

  it("S3-10 chats in the machine's own Node, however old, with the package ws as the guide gives it", async ({
    skip,
  }) => {
    const node = findNode();
    if (node === undefined) return skip("there is no other node on the PATH than the one in node_modules");
    const guide = (await readCodeBlocks()).find(({ page, text }) => page.endsWith("/node.md") && text.includes('"ws"'));
    await writeFile(join(app, "open.js"), (await transform(guide?.text ?? "", { loader: "ts" })).code);
    await writeFile(
      join(app, "chat.js"),
      `import { open } from "./open.js";
       const [, , apiUrl, wsToken] = process.argv;
       const client = open(apiUrl, async () => ({ token: "rest", wsToken }));
       const room = client.join("lobby");
       await client.connect();
       const { seq } = await room.send("Hello from " + process.version);
       console.log(JSON.stringify([process.version, client.userId, seq]));
       client.disconnect();`,
    );
    const server = await ScriptedServer.start();
    server.onSocket = hospitable;
    const { stdout } = await run(node, ["chat.js", server.apiUrl, tokenOf("greeter")], { cwd: app });
    const [version, ...rest] = JSON.parse(stdout) as unknown[];
    console.log(`the package chats in Node ${String(version)}`);
    expect(rest).toEqual(["greeter", 1]);
    expect(server.sockets[0]?.all("message")).toMatchObject([{ content: `Hello from ${String(version)}` }]);
    await server.stop();
  });

  it("says that it cannot reach the part for HTTP while that does not load, and tries again when it is asked again", async () => {
    const part = join(app, "node_modules/parley/http.js");
    const text = await readFile(part);
    await rm(part);
    await writeFile(
      join(app, "part.js"),
      `import { writeFile } from "node:fs/promises";
       import { ChatClient } from "parley";
       const client = new ChatClient({
         token: "t",
         wsToken: "w",
         platform: { fetch: async () => Response.json({ channels: [], next: null }) },
       });
       const first = await client.channels().catch(({ name, code }) => ({ name, code }));
       await writeFile(${JSON.stringify(part)}, Buffer.from("${text.toString("base64")}", "base64"));
       console.log(JSON.stringify([first, await client.channels()]));`,
    );
    const { stdout } = await run(join(modules, ".bin/node"), ["part.js"], { cwd: app });
    expect(JSON.parse(stdout)).toEqual([
      { name: "ChatError", code: "unreachable" },
      { channels: [], next: null },
    ]);
  });

  it.each(["nodenext", "bundler"])("S3-11 type-checks with moduleResolution %s, strictly", async (moduleResolution) => {
    await writeFile(
      join(app, "app.ts"),
      `import { ChatClient, type ChatMessage, ChatError } from "parley";
       import { ChatProvider, useChat, useChatToken } from "parley/react";
       import { createElement } from "react";
       export function Lobby() {
         const { messages, sendMessage } = useChat("lobby");
         const { token, refreshToken } = useChatToken();
         const first: ChatMessage | undefined = messages[0];
         if (token !== null) void new ChatClient({ token: token.token, wsToken: token.wsToken }).channels()
           .then(({ channels }) => channels[0]?.name.toUpperCase(), (error: unknown) => error instanceof ChatError);
         // @ts-expect-error a message is a text
         void sendMessage(1);
         // @ts-expect-error an event that there is not
         new ChatClient("a.b.c").on("nothing", () => undefined);
         return createElement("p", { onClick: () => void refreshToken() }, first?.content);
       }
       export const App = () => createElement(ChatProvider, { getToken: () => Promise.resolve({ token: "", wsToken: "" }) }, createElement(Lobby));`,
    );
    const compilerOptions = {
      module: moduleResolution === "bundler" ? "esnext" : "nodenext",
      moduleResolution,
      target: "es2022",
      lib: ["es2022", "dom"],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    };
    await writeFile(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }));
    const { stdout } = await run(join(modules, ".bin/tsc"), ["-p", "tsconfig.json"], { cwd: app }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe("");
  });
});

/** The `node` that a shell finds, and not the one that npm puts before it. */
function findNode(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return folders.map((folder) => join(folder, "node")).find((file) => existsSync(file));
}
