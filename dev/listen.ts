import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Server } from "node:net";

export interface Listening {
  url: string;
  port: number;
  close(): Promise<void>;
}

export interface JsonReply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/**
 * Serves JSON on the loopback address only. A handler that throws becomes a 500 with the error's message: these servers
 * run on a developer's machine, for that developer.
 *
 * @param port The port wanted; another free one is taken when it is in use.
 */
export async function listenForJson(
  port: number,
  handle: (request: IncomingMessage) => Promise<JsonReply>,
): Promise<Listening> {
  const server = createServer((request, response) => {
    handle(request)
      .catch(failure)
      .then((reply) => answer(response, reply))
      .catch(() => response.destroy());
  });
  await listenOrFree(server, port);
  const bound = (server.address() as AddressInfo).port; // a TCP server's address is never a string
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Listens on the loopback address, on `port` or, when that is in use, on a free one. */
export async function listenOrFree(server: Server, port: number): Promise<void> {
  try {
    await listen(server, port);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    await listen(server, 0);
  }
}

/** Listens on the loopback address on exactly this port; 0 takes a free one. */
export function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function failure(error: unknown): JsonReply {
  const text = error instanceof Error ? error.message : "failed";
  return { status: error instanceof BodyTooLarge ? 413 : 500, body: { error: text, message: text } };
}

function answer(response: ServerResponse, { status, body, headers }: JsonReply): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

/** @throws {BodyTooLarge} when the body has more than `maxBytes`. */
export async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new BodyTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A request has more in it than its reader takes. */
export class BodyTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`The body has more than ${maxBytes} bytes`);
    this.name = "BodyTooLarge";
  }
}
