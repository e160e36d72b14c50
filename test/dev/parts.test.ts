import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Child } from "../../dev/child.ts";
import { listen } from "../../dev/listen.ts";
import { type Part, requireFreePort, untilAllAnswer, whenOneEnds } from "../../dev/parts.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A part whose program runs until `end` is called, and that answers with this status. */
async function openPart(status: number) {
  const server = createServer((_, response) => response.writeHead(status).end());
  await listen(server, 0);
  closers.push(() => server.close());
  const { promise, resolve } = Promise.withResolvers<Awaited<Child["ended"]>>();
  const { port } = server.address() as AddressInfo; // a TCP server's address
  const part: Part = {
    name: "rooms",
    url: `http://127.0.0.1:${port}`,
    logFile: "/logs/rooms.log",
    ended: promise,
    isAway: false,
    compileError: undefined,
  };
  return { part, port, end: resolve };
}

describe("starting the parts", () => {
  it("is done when every part answers", async () => {
    const parts = [(await openPart(200)).part, (await openPart(200)).part];
    await expect(untilAllAnswer(parts, whenOneEnds(parts))).resolves.toBeUndefined();
  });

  it("fails with the reason when a part ends meanwhile", async () => {
    const { part, end } = await openPart(503);
    const starting = untilAllAnswer([part], whenOneEnds([part]));
    end({ code: 1, lastLines: ["one", "Error: Address already in use", "at somewhere"] });
    await expect(starting).rejects.toThrow(
      "The rooms process ended with code 1: Error: Address already in use; start again with npm run dev, or see /logs/rooms.log",
    );
  });

  it("fails with the compiler's words when a part cannot be compiled", async () => {
    const { part } = await openPart(503);
    const broken = { ...part, compileError: 'Could not resolve "./gone.ts"' };
    await expect(untilAllAnswer([broken], whenOneEnds([broken]))).rejects.toThrow(
      'The rooms cannot be compiled: Could not resolve "./gone.ts"; correct that, all of it is in /logs/rooms.log',
    );
  });

  it("refuses a port that is in use, and names the option to change it", async () => {
    const { port } = await openPart(200);
    await expect(requireFreePort(port, "--party-port")).rejects.toThrow(
      `Port ${port} is in use: stop what uses it, or choose another with --party-port N`,
    );
  });
});
