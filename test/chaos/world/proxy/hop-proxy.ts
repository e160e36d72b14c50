import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { listen } from "../../../../dev/listen.ts";
import type { Hop, SeenAnswer } from "../types.ts";
import { relayRequest } from "./http-relay.ts";
import type { ActiveRule, Aim, Target } from "./rules.ts";
import { isAimedAt } from "./rules.ts";
import { SocketRelay } from "./socket-relay.ts";

const HEAD_MAX_BYTES = 64 * 1_024;

/** A proxy in front of one address, for HTTP and WebSockets, that forwards everything until a rule says otherwise. */
export class HopProxy {
  readonly #hop: Hop;
  readonly #target: URL;
  readonly #server: Server;
  readonly #relays = new Set<SocketRelay>();
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Map<string, SeenAnswer>();
  #rules: readonly ActiveRule[] = [];
  #opened = 0;

  private constructor(hop: Hop, target: URL) {
    this.#hop = hop;
    this.#target = target;
    // No time limits of its own: those of the two sides are what is looked at.
    this.#server = createServer({ keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 });
    this.#server.on("connection", (socket: Socket) => this.#accept(socket));
    this.#server.on("request", (request, response) => void this.#request(request, response));
    this.#server.on("upgrade", (request, socket, head) => void this.#upgrade(request, socket as Socket, head));
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** Listens on the loopback address, on a free port. */
  static async open(hop: Hop, target: string): Promise<{ proxy: HopProxy; url: string }> {
    const proxy = new HopProxy(hop, new URL(target));
    await listen(proxy.#server, 0);
    const address = proxy.#server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { pathname } = proxy.#target;
    return { proxy, url: `http://127.0.0.1:${port}${pathname === "/" ? "" : pathname}` };
  }

  get sockets(): number {
    return this.#relays.size;
  }

  get answers(): readonly SeenAnswer[] {
    return [...this.#answers.values()];
  }

  follow(rules: readonly ActiveRule[]): void {
    this.#rules = rules.filter(({ rule }) => rule.hops.includes(this.#hop));
    for (const relay of this.#relays) relay.follow(this.#rules);
  }

  /** Cuts WebSocket connections. @returns how many */
  cut(aim: Aim, how: "fin" | "rst"): number {
    const hit = [...this.#relays].filter(({ target }) => isAimedAt(aim, target));
    for (const relay of hit) relay.cut(how);
    return hit.length;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    for (const relay of this.#relays) relay.cut("fin");
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => undefined); // a close follows
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { method = "", url = "" } = request;
      const room = roomOf(url);
      const rules = this.#rules.filter(({ rule: { rooms } }) => rooms === undefined || rooms.includes(room ?? ""));
      const status = await relayRequest({ from: request, to: response, target: this.#target }, rules);
      if (status !== undefined) this.#note(method, url, status);
    } catch {
      response.destroy(); // who asked has gone
    }
  }

  async #upgrade(request: IncomingMessage, near: Socket, head: Buffer): Promise<void> {
    const target: Target = { hop: this.#hop, room: roomOf(request.url ?? ""), number: this.#opened++ };
    const find = (deed: string) => this.#rules.find(({ rule }) => rule.do === deed && isAimedAt(rule, target));
    const [refuse, hang] = [find("refuse"), find("hang")];
    if (refuse !== undefined) {
      refuse.hits++;
      return void near.resetAndDestroy();
    }
    if (hang !== undefined) {
      hang.hits++;
      await hang.lifted;
    }
    if (near.destroyed) return;
    const far = connect({ host: this.#target.hostname, port: Number(this.#target.port) });
    far.on("error", () => undefined); // a close follows
    this.#accept(far);
    far.write(headOf(request));
    far.write(head);
    this.#awaitAnswer(request, { target, near, far });
  }

  /** Reads the answer's head; what follows a 101 are frames. */
  #awaitAnswer(request: IncomingMessage, { target, near, far }: { target: Target; near: Socket; far: Socket }): void {
    let bytes: Buffer = Buffer.alloc(0);
    const giveUp = (): void => void (far.destroyed ? near.resetAndDestroy() : far.destroy());
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end === -1) return bytes.length > HEAD_MAX_BYTES ? giveUp() : undefined;
      far.off("data", take);
      for (const socket of [near, far]) socket.off("close", giveUp);
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(bytes.toString("latin1", 0, 12))?.[1]);
      if (status === 101) this.#relay({ target, near, far }, bytes, end + 4);
      else {
        this.#note(request.method ?? "", request.url ?? "", status);
        near.write(bytes);
        far.pipe(near);
        near.on("close", () => far.destroy());
      }
    };
    far.on("data", take);
    for (const socket of [near, far]) socket.on("close", giveUp);
  }

  #relay({ target, near, far }: { target: Target; near: Socket; far: Socket }, bytes: Buffer, end: number): void {
    near.write(bytes.subarray(0, end));
    far.pause();
    const relay = new SocketRelay(target, near, far, () => this.#relays.delete(relay));
    this.#relays.add(relay);
    if (end < bytes.length) far.unshift(bytes.subarray(end));
    far.resume();
    near.resume();
    relay.follow(this.#rules);
  }

  #note(method: string, url: string, status: number): void {
    const path = url.split("?", 1)[0] ?? "";
    const key = `${method} ${path} ${status}`;
    const seen = this.#answers.get(key) ?? { hop: this.#hop, method, path, status, count: 0 };
    seen.count++;
    this.#answers.set(key, seen);
  }
}

function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The room a socket is opened to: directly, or as the first one of a gateway's socket. */
function roomOf(url: string): string | undefined {
  return /\/parties\/main\/([A-Za-z0-9_-]+)/.exec(url)?.[1] ?? /[?&]roomId=([A-Za-z0-9_-]+)/.exec(url)?.[1];
}
