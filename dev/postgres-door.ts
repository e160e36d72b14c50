import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { PGlite } from "@electric-sql/pglite";
import { listenOrFree } from "./listen.ts";
import * as wire from "./wire.ts";

/** How long a client may sit in an open transaction: everybody else waits for it, because there is one session. */
const IDLE_IN_TRANSACTION_MS = 10_000;
// Messages after which the database has something to answer; everything before is gathered.
const SUBMITS = new Set(["Q", "S", "H", "F", "c", "f"]);

export interface PostgresDoor {
  /** A connection string for any Postgres client. */
  databaseUrl: string;
  close(): Promise<void>;
}

/**
 * Lets any Postgres client use an in-process database, on the loopback address and with a password.
 *
 * PGlite has one session. Clients take turns: one that is in a transaction keeps its turn until the transaction ends.
 * Session state (`SET`, temporary tables, named statements) is shared by all of them.
 */
export async function openPostgresDoor(
  database: PGlite,
  options: { port?: number; password: string },
): Promise<PostgresDoor> {
  const turns = new Turns();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    serveClient(socket, { database, turns, password: options.password }).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : "The connection failed";
      socket.end(wire.fatalError(error instanceof wire.WireError ? "08P01" : "XX000", text));
    });
  });
  await listenOrFree(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  return {
    databaseUrl: `postgresql://postgres:${options.password}@127.0.0.1:${port}/postgres`,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await turns.take(); // whoever is in the middle of a query ends it first
    },
  };
}

interface Door {
  database: PGlite;
  turns: Turns;
  password: string;
}

async function serveClient(socket: Socket, door: Door): Promise<void> {
  const input = new Input(socket);
  if (!(await greet(socket, input, door.password))) return;
  const client = new Client(socket, door);
  try {
    await client.begin();
    for (;;) {
      const next = await input.next();
      if (next === undefined || next.type === "X") break;
      await client.take(next);
    }
  } finally {
    await client.leave();
    socket.end();
  }
}

/** Refuses encryption, asks for the password, checks it. */
async function greet(socket: Socket, input: Input, password: string): Promise<boolean> {
  for (;;) {
    const code = await input.startup();
    if (code === undefined || code === wire.STARTUP_CODES.cancel) return close(socket);
    if (code !== wire.STARTUP_CODES.ssl && code !== wire.STARTUP_CODES.gss) break;
    socket.write("N");
  }
  socket.write(wire.message("R", int32(3)));
  const answer = await input.next();
  if (answer?.type !== "p") return close(socket);
  const given = answer.bytes.subarray(5, -1);
  const wanted = Buffer.from(password);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return true;
  return close(socket, wire.fatalError("28P01", "password authentication failed"));
}

function close(socket: Socket, last?: Buffer): false {
  if (last === undefined) socket.end();
  else socket.end(last);
  return false;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** One client's side of the shared session. */
class Client {
  readonly #socket: Socket;
  readonly #door: Door;
  #gathered: Buffer[] = [];
  #release: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  constructor(socket: Socket, door: Door) {
    this.#socket = socket;
    this.#door = door;
  }

  async begin(): Promise<void> {
    await this.#submit(wire.startupPacket({ user: "postgres", database: "postgres" }));
  }

  async take(next: wire.WireMessage): Promise<void> {
    this.#gathered.push(next.bytes);
    if (!SUBMITS.has(next.type)) return;
    const request = Buffer.concat(this.#gathered);
    this.#gathered = [];
    await this.#submit(request);
  }

  /** Ends what the client left open, so that the next one finds an idle session. */
  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#release === undefined) return;
    await this.#door.database.execProtocolRaw(wire.message("S")).catch(() => undefined);
    await this.#door.database.execProtocolRaw(wire.message("Q", "rollback")).catch(() => undefined);
    this.#release();
  }

  async #submit(request: Buffer): Promise<void> {
    clearTimeout(this.#timer);
    this.#release ??= await this.#door.turns.take();
    const reply = Buffer.from(await this.#door.database.execProtocolRaw(request));
    const status = wire.lastStatus(reply);
    if (status === "I") {
      this.#release();
      this.#release = undefined;
    } else this.#timer = setTimeout(() => this.#tooLong(), IDLE_IN_TRANSACTION_MS);
    if (!this.#socket.write(reply)) await Promise.race([once(this.#socket, "drain"), once(this.#socket, "close")]);
  }

  #tooLong(): void {
    this.#socket.end(wire.fatalError("25P03", `a transaction was idle for ${IDLE_IN_TRANSACTION_MS} ms`));
    this.#socket.destroySoon();
  }
}

/** Reads a socket message by message. */
class Input {
  #buffer: Buffer = Buffer.alloc(0);
  readonly #chunks: AsyncIterator<Buffer>;
  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>; // no encoding is set
  }

  async startup(): Promise<number | undefined> {
    return (await this.#cut(wire.cutStartup))?.code;
  }

  async next(): Promise<wire.WireMessage | undefined> {
    return (await this.#cut(wire.cutMessage))?.message;
  }

  async #cut<Cut extends { rest: Buffer }>(cut: (buffer: Buffer) => Cut | undefined): Promise<Cut | undefined> {
    for (;;) {
      const found = cut(this.#buffer);
      if (found !== undefined) {
        this.#buffer = found.rest;
        return found;
      }
      const chunk = await this.#chunks.next().catch(() => ({ done: true as const, value: undefined }));
      if (chunk.done === true) return undefined;
      this.#buffer = Buffer.concat([this.#buffer, chunk.value]);
    }
  }
}

/** A queue for one thing: `take` resolves when it is the caller's turn, with the function that ends the turn. */
class Turns {
  #last: Promise<void> = Promise.resolve();
  async take(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return resolve;
  }
}
