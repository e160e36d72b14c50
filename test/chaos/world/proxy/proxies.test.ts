import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Hop } from "../types.ts";
import { type RemoteProxies, startProxies } from "./process.ts";
import type { Rule } from "./rules.ts";

const closers: (() => Promise<unknown> | void)[] = [];
let proxies: RemoteProxies;
beforeEach(() => {
  proxies = startProxies();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await proxies.close();
});

/** A server that takes everything down, answers requests with their body, and echoes frames that ask for it. */
async function openServer(hop: Hop = "rooms") {
  const requests: string[] = [];
  const frames: string[] = [];
  const sockets: WebSocket[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(request.url?.startsWith("/gone") === true ? 404 : 200, { "x-from": "server" }).end(body);
    });
  });
  const sockets_ = new WebSocketServer({ server });
  sockets_.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("message", (data) => frames.push(String(data)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    for (const socket of sockets_.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // a TCP server's address
  const url = await proxies.open(hop, `http://127.0.0.1:${port}`);
  return { url, requests, frames, sockets };
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

/** A client of the proxy, with what it has heard. */
async function openClient(url: string, path = "/parties/main/lobby") {
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, { perMessageDeflate: false });
  const heard: string[] = [];
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  socket.on("message", (data) => heard.push(String(data)));
  socket.on("error", () => undefined); // a close follows
  closers.push(() => socket.terminate());
  await new Promise((resolve) => {
    socket.once("open", resolve);
    socket.once("close", resolve);
  });
  return { socket, heard, closed };
}

const aim = { hops: ["rooms"], share: 1, seed: 1 } as const;
const impose = (rule: Omit<Rule, "hops" | "share" | "seed"> & Partial<Rule>) =>
  proxies.impose({ ...aim, ...rule } as Rule); // a deed with the usual aim
const frame = (type: string, n: number) => JSON.stringify({ type, n });
const post = (url: string, body: string, path = "/x") => fetch(`${url}${path}`, { method: "POST", body });
const soon = (ms: number) => AbortSignal.timeout(ms);

describe("a proxy without rules", () => {
  it("forwards requests and answers as they are, and counts the answers", async () => {
    const { url, requests } = await openServer();
    const reply = await post(url, "hello", "/gone?token=secret");
    expect([reply.status, reply.headers.get("x-from"), await reply.text()]).toEqual([404, "server", "hello"]);
    expect(requests).toEqual(["POST /gone?token=secret hello"]);
    expect(await proxies.answers()).toEqual([{ hop: "rooms", method: "POST", path: "/gone", status: 404, count: 1 }]);
  });

  it("forwards frames of every size both ways, and how a connection ends", async () => {
    const { url, frames, sockets } = await openServer();
    const { socket, heard, closed } = await openClient(url);
    const texts = [0, 1, 125, 126, 65_535, 65_536, 1_000_000].map((size) => "x".repeat(size));
    for (const each of texts) socket.send(each);
    await expect.poll(() => frames.length, { timeout: 5_000 }).toBe(texts.length);
    expect(frames).toEqual(texts);
    for (const each of texts) sockets[0]?.send(each);
    await expect.poll(() => heard.length, { timeout: 5_000 }).toBe(texts.length);
    expect(heard).toEqual(texts);
    sockets[0]?.close(4001);
    expect(await closed).toBe(4001);
    await expect.poll(() => proxies.sockets("rooms")).toBe(0);
  });

  it("carries ten thousand frames to two hundred clients, each in order", async () => {
    const { url, sockets } = await openServer();
    const clients = await Promise.all(Array.from({ length: 200 }, () => openClient(url)));
    const texts = Array.from({ length: 50 }, (_, n) => frame("message", n));
    for (const each of texts) for (const socket of sockets) socket.send(each);
    const received = () => clients.reduce((sum, { heard }) => sum + heard.length, 0);
    await expect.poll(received, { timeout: 10_000 }).toBe(10_000);
    expect(clients.every(({ heard }) => heard.join() === texts.join())).toBe(true);
  });
});

describe("rules about frames", () => {
  const conversation = async () => {
    const server = await openServer();
    const client = await openClient(server.url);
    const tell = (count: number, type = "message") => {
      for (let n = 1; n <= count; n++) server.sockets[0]?.send(frame(type, n));
    };
    return { ...server, ...client, tell };
  };

  it("drops frames of a type, and no others, until it is lifted", async () => {
    const { heard, tell } = await conversation();
    const rule = await impose({ do: "drop", directions: ["down"], types: ["ack"] });
    tell(3, "ack");
    tell(1, "message");
    await expect.poll(() => heard).toEqual([frame("message", 1)]);
    expect(await proxies.lift(rule)).toBe(3);
    tell(1, "ack");
    await expect.poll(() => heard).toEqual([frame("message", 1), frame("ack", 1)]);
  });

  it("drops single lines of a gathered frame", async () => {
    const { heard, sockets } = await conversation();
    await impose({ do: "drop", directions: ["down"], types: ["ack"] });
    sockets[0]?.send([frame("message", 1), frame("ack", 1), frame("message", 2)].join("\n"));
    await expect.poll(() => heard).toEqual([`${frame("message", 1)}\n${frame("message", 2)}`]);
  });

  it("doubles frames in both directions", async () => {
    const { heard, tell, frames, socket } = await conversation();
    const rule = await impose({ do: "double", directions: ["up", "down"], types: ["message"] });
    tell(1);
    await expect.poll(() => heard).toEqual([frame("message", 1), frame("message", 1)]);
    socket.send(frame("message", 9));
    await expect.poll(() => frames).toEqual([frame("message", 9), frame("message", 9)]);
    expect(await proxies.lift(rule)).toBe(2);
  });

  it("swaps frames with the next, and lets the last one go when there is none", async () => {
    const { heard, tell } = await conversation();
    const rule = await impose({ do: "swap", directions: ["down"], types: ["message"] });
    tell(3);
    await expect.poll(() => heard).toEqual([2, 1, 3].map((n) => frame("message", n)));
    expect(await proxies.lift(rule)).toBe(1);
  });

  it("hits the frames that the seed decides, about as many as its share", async () => {
    const { heard, tell } = await conversation();
    const rule = await impose({ do: "drop", directions: ["down"], types: ["message"], share: 0.25, seed: 42 });
    tell(400);
    await expect.poll(() => heard.at(-1)).toBe(frame("message", 400));
    const dropped = await proxies.lift(rule);
    expect(dropped).toBe(400 - heard.length);
    expect(dropped).toBeGreaterThan(60);
    expect(dropped).toBeLessThan(140);
  });

  it("delays frames and keeps their order", async () => {
    const { heard, tell } = await conversation();
    const rule = await impose({ do: "delay", directions: ["down"], delayMs: 300 });
    const since = performance.now();
    tell(3);
    await expect.poll(() => heard).toEqual([1, 2, 3].map((n) => frame("message", n)));
    expect(performance.now() - since).toBeGreaterThan(290);
    expect(await proxies.lift(rule)).toBe(3);
  });
});

describe("rules about connections", () => {
  it("hangs in one direction only, and brings everything when it is lifted", async () => {
    const { url, frames, sockets } = await openServer();
    const { socket, heard } = await openClient(url);
    const rule = await impose({ do: "hang", directions: ["up"] });
    socket.send(frame("message", 1));
    sockets[0]?.send(frame("message", 2));
    await expect.poll(() => heard).toEqual([frame("message", 2)]);
    expect(frames).toEqual([]);
    expect(await proxies.lift(rule)).toBe(1);
    await expect.poll(() => frames).toEqual([frame("message", 1)]);
  });

  it("tells the server nothing of a client that leaves while it hangs", async () => {
    const { url, sockets } = await openServer();
    const { socket, closed } = await openClient(url);
    const rule = await impose({ do: "hang", directions: ["up", "down"] });
    socket.terminate();
    await closed;
    const heardOfIt = new Promise((resolve) => sockets[0]?.once("close", resolve)).then(() => "told");
    const untold = new Promise((resolve) => setTimeout(resolve, 300)).then(() => "untold");
    expect(await Promise.race([heardOfIt, untold])).toBe("untold");
    expect(await proxies.lift(rule)).toBeGreaterThan(0);
  });

  it("stops reading from the server until that feels it", async () => {
    const { url, sockets } = await openServer();
    const { heard } = await openClient(url);
    const rule = await impose({ do: "stall" });
    const text = "x".repeat(100_000);
    for (let n = 0; n < 300; n++) sockets[0]?.send(text);
    await expect.poll(() => sockets[0]?.bufferedAmount).toBeGreaterThan(1_000_000);
    expect(heard.length).toBeLessThan(10);
    expect(await proxies.lift(rule)).toBe(1);
    await expect.poll(() => heard.length, { timeout: 5_000 }).toBe(300);
  });

  it("refuses new connections and leaves those there are", async () => {
    const { url, frames } = await openServer();
    const { socket } = await openClient(url);
    const rule = await impose({ do: "refuse" });
    expect(await (await openClient(url)).closed).toBe(1006);
    socket.send(frame("message", 1));
    await expect.poll(() => frames).toEqual([frame("message", 1)]);
    expect(await proxies.lift(rule)).toBe(1);
    expect((await openClient(url)).socket.readyState).toBe(WebSocket.OPEN);
  });

  it.each(["fin", "rst"] as const)("cuts those of one room (%s), for both sides", async (how) => {
    const { url, sockets } = await openServer();
    const hit = await openClient(url, "/parties/main/first");
    const spared = await openClient(url, "/ws?roomId=second");
    const serverSide = new Promise((resolve) => sockets[0]?.once("close", resolve));
    expect(await proxies.cut({ ...aim, rooms: ["first"] }, how)).toBe(1);
    expect(await hit.closed).toBe(1006);
    await serverSide;
    expect(spared.socket.readyState).toBe(WebSocket.OPEN);
  });

  it("hits the share of connections that the seed decides, the same ones again", async () => {
    const { url } = await openServer();
    await Promise.all(Array.from({ length: 40 }, () => openClient(url)));
    const cut = await proxies.cut({ ...aim, share: 0.3, seed: 5 }, "rst");
    expect(cut).toBeGreaterThan(3);
    expect(cut).toBeLessThan(25);
    await expect.poll(() => proxies.sockets("rooms")).toBe(40 - cut);
    expect(await proxies.cut({ ...aim, share: 0.3, seed: 5 }, "rst")).toBe(0);
  });
});

describe("rules about requests", () => {
  it("refuses them, and is counted", async () => {
    const { url, requests } = await openServer();
    const rule = await impose({ do: "refuse" });
    await expect(post(url, "hello")).rejects.toThrow("fetch failed");
    expect(await proxies.lift(rule)).toBe(1);
    expect(requests).toEqual([]);
    expect((await post(url, "again")).status).toBe(200);
  });

  it("loses the answer of one that was carried out", async () => {
    const { url, requests } = await openServer();
    const rule = await impose({ do: "lose_answers" });
    await expect(post(url, "hello")).rejects.toThrow("fetch failed");
    expect(requests).toEqual(["POST /x hello"]);
    expect(await proxies.lift(rule)).toBe(1);
  });

  it("lets one hang that then fails or is answered late", async () => {
    const { url } = await openServer();
    const rule = await impose({ do: "hang", directions: ["up", "down"] });
    await expect(fetch(url, { signal: soon(200) })).rejects.toThrow("aborted due to timeout");
    const waiting = post(url, "hello").then(
      ({ status }) => String(status),
      () => "reset",
    );
    const patience = new Promise((resolve) => setTimeout(resolve, 200)).then(() => "still waiting");
    expect(await Promise.race([waiting, patience])).toBe("still waiting");
    expect(await proxies.lift(rule)).toBe(2);
    expect(["200", "reset"]).toContain(await waiting);
  });

  it("answers late, but answers", async () => {
    const { url } = await openServer();
    await impose({ do: "delay", directions: ["up"], delayMs: 250 });
    const since = performance.now();
    expect(await (await post(url, "hello")).text()).toBe("hello");
    expect(performance.now() - since).toBeGreaterThan(240);
  });

  it("leaves other hops alone", async () => {
    const { url } = await openServer("redis");
    await impose({ do: "refuse" });
    expect((await post(url, "hello")).status).toBe(200);
  });
});
