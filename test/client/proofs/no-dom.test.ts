import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorkerd } from "../../../bench/workerd.ts";
import { PROJECT_DIR } from "../../../dev/project.ts";
import { type SmallServer, startSmallServer } from "./small-server.ts";

let server: SmallServer;
beforeAll(async () => {
  server = await startSmallServer();
});
afterAll(() => server.stop());

/** A short conversation, in whatever runtime there is: it uses nothing but the client. */
const CONVERSATION = `
  async function converse(ChatClient, { apiUrl, wsUrl }) {
    const client = new ChatClient({ apiUrl, wsUrl, getToken: async () => ({ token: "rest", wsToken: "ws", expiresIn: 3600 }) });
    const room = client.join("not-the-lobby");
    const early = room.send("written before there was a socket");
    await client.connect();
    const sent = [await early, await room.send("and after")];
    const shown = room.messages.filter(({ state }) => state === "sent").map(({ content }) => content);
    const { status } = room.state;
    const during = client.connectionState;
    client.disconnect();
    return { seqs: sent.map(({ seq }) => seq), shown: shown.slice(-2), status, states: [during, client.connectionState] };
  }`;

const WENT_WELL = {
  seqs: [expect.any(Number), expect.any(Number)],
  shown: ["written before there was a socket", "and after"],
  status: "joined",
  states: ["online", "idle"],
};

async function bundle(contents: string, format: "iife" | "esm"): Promise<string> {
  const stdin = { contents, resolveDir: PROJECT_DIR, loader: "ts" as const };
  const { outputFiles } = await build({ stdin, bundle: true, format, target: "es2022", write: false });
  return outputFiles[0]?.text ?? "";
}

/** The conversation in a world that has nothing but the language and these globals. */
async function converseWith(globals: Record<string, unknown>, prepare = ""): Promise<unknown> {
  const code = await bundle(
    'import { ChatClient } from "./client/index.ts"; globalThis.ChatClient = ChatClient;',
    "iife",
  );
  const world = createContext({ ...globals, server });
  runInContext(prepare, world);
  runInContext(code, world);
  const result: unknown = await runInContext(
    `${CONVERSATION}; converse(ChatClient, server).then(JSON.stringify)`,
    world,
  );
  return JSON.parse(String(result));
}

const TIMERS = { setTimeout, clearTimeout, setInterval, clearInterval, queueMicrotask };

describe("the core without a DOM", () => {
  it("talks where there is no window, document, navigator, localStorage or indexedDB: plain Node", async () => {
    const globals = {
      fetch,
      WebSocket,
      URL,
      URLSearchParams,
      AbortController,
      AbortSignal,
      TextEncoder,
      performance,
      crypto,
      ...TIMERS,
    };
    const names = ["window", "document", "navigator", "localStorage", "indexedDB", "addEventListener"];
    for (const name of names) expect(globals).not.toHaveProperty(name);
    expect(await converseWith(globals)).toEqual(WENT_WELL);
  });

  it("talks in React Native's world: no crypto, no TextEncoder, an AbortController without helpers, a URL that knows few of its parts", async () => {
    const globals = {
      fetch,
      WebSocket,
      URL: NativeUrl,
      AbortController,
      performance: { now: () => performance.now() },
      navigator: { product: "ReactNative" },
      ...TIMERS,
    };
    // There is a window, which is the global object and has no events; and Hermes is behind the newest JavaScript.
    const prepare = `globalThis.window = globalThis.self = globalThis;
      delete Promise.withResolvers; delete Array.fromAsync; delete Object.groupBy; delete Map.groupBy;
      for (const name of ["union", "difference", "intersection"]) delete Set.prototype[name];
      for (const name of ["map", "filter", "take", "toArray"]) delete Iterator.prototype[name];`;
    expect(await converseWith(globals, prepare)).toEqual(WENT_WELL);
  });

  it("talks in a Cloudflare Worker", async () => {
    const worker = `import { ChatClient } from "./client/index.ts";
      ${CONVERSATION}
      const server = ${JSON.stringify({ apiUrl: server.apiUrl, wsUrl: server.wsUrl })};
      export default {
        async fetch(request) {
          if (new URL(request.url).pathname !== "/converse") return new Response("up");
          try {
            return Response.json(await converse(ChatClient, server));
          } catch (error) {
            return Response.json({ error: String(error), stack: error.stack });
          }
        },
      };`;
    const workerd = await startWorkerd(await bundle(worker, "esm"));
    try {
      expect(await (await fetch(`${workerd.url}/converse`)).json()).toEqual(WENT_WELL);
    } finally {
      await workerd.stop();
    }
  });
});

/** As React Native has had it for most of its life. */
class NativeUrl {
  readonly href: string;
  constructor(url: string, base = "") {
    this.href = base === "" ? url : new URL(url, base).href;
  }
  get searchParams(): never {
    throw new Error("URLSearchParams.set is not implemented");
  }
  get host(): string {
    throw new Error("URL.host is not implemented");
  }
  get pathname(): string {
    throw new Error("URL.pathname is not implemented");
  }
  get protocol(): string {
    throw new Error("URL.protocol is not implemented");
  }
  toString(): string {
    return this.href;
  }
}
