import { type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { ActiveRule } from "./rules.ts";

/** Forwards a plain request to the same path of another address, as the rules in force say. */
export async function relayRequest(
  { from, to, target }: { from: IncomingMessage; to: ServerResponse; target: URL },
  rules: readonly ActiveRule[],
): Promise<number | undefined> {
  to.on("error", () => undefined); // who asked has gone
  const body = await readBody(from);
  const find = (deed: string) => rules.find(({ rule }) => rule.do === deed);
  const [refuse, hang, delay, lose] = [find("refuse"), find("hang"), find("delay"), find("lose_answers")];
  if (refuse?.strikes() === true) {
    refuse.hits++;
    return reset(to);
  }
  if (hang?.strikes() === true) {
    hang.hits++;
    await hang.lifted;
    // The network may deliver it after all, long after its sender has given up.
    if (hang.tosses()) return reset(to);
  }
  if (delay?.rule.do === "delay" && delay.strikes()) {
    delay.hits++;
    const { delayMs } = delay.rule;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
  const answer = await send(from, target, body);
  if (answer === undefined) return reset(to);
  if (lose?.strikes() === true) {
    answer.resume();
    lose.hits++;
    return reset(to);
  }
  to.writeHead(answer.statusCode ?? 502, forwardable(answer.rawHeaders));
  answer.pipe(to);
  answer.on("error", () => reset(to));
  return answer.statusCode;
}

async function readBody(from: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of from as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** @returns undefined when no answer comes. */
async function send(from: IncomingMessage, target: URL, body: Buffer): Promise<IncomingMessage | undefined> {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | undefined>();
  const headers = [...forwardable(from.rawHeaders), "content-length", String(body.length), "connection", "close"];
  const { hostname, port } = target;
  const sent = httpRequest({ hostname, port, agent: false, method: from.method, path: from.url, headers }, resolve);
  sent.on("error", () => resolve(undefined));
  sent.end(body);
  return await promise;
}

const OF_ONE_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "expect"]);

/** Raw headers without those that are about one connection only. */
function forwardable(raw: readonly string[]): string[] {
  const pairs: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const [name = "", value = ""] = [raw[at], raw[at + 1]];
    if (!OF_ONE_HOP.has(name.toLowerCase())) pairs.push(name, value);
  }
  return pairs;
}

function reset(to: ServerResponse): undefined {
  to.socket?.resetAndDestroy();
}
