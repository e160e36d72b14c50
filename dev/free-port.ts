import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { listen } from "./listen.ts";

/** Below the ports that systems give to connections, any of which could have taken one before it is listened on. */
const FIRST = 10_081; // the one before it is not fetched from
const LAST = 32_767;
const TRIES = 50;

/** A port of the loopback address that nobody uses at the moment; two who ask at once will hardly get the same. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const port = randomInt(FIRST, LAST + 1);
    if (await isFree(port)) return port;
  }
  throw new Error("There is no free port");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, port);
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
