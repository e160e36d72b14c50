import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Proxies } from "../chaos/world/proxy/proxies.ts";
import type { Aim } from "../chaos/world/proxy/rules.ts";
import { ChatSocket } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
const proxies = new Proxies();
const ALL: Aim = { hops: ["postgres", "redis", "gateway"], share: 1, seed: 1 };
const secrets = new Map<string, string>();
/** Everything a client was told but for what it had asked for: answers that are refusals, frames, reasons of closes. */
const told: string[] = [];

beforeAll(async () => {
  stack = await startStack(
    { ENABLE_LOGGING: "true", CHAT_JWT_SECRET: "canary-Vb8rT2mQ9xK4wZ7nE1sH6jD3fL5p" },
    { through: async (hop, url) => (ALL.hops.includes(hop) ? await proxies.open(hop, url) : url) },
  );
  await speak();
});
afterAll(async () => {
  await stack?.stop();
  await proxies.close();
});

/** A conversation in which every secret is used, also where it does not belong, and everything fails once. */
async function speak(): Promise<void> {
  const keep = (name: string, value: string): string => {
    secrets.set(name, value);
    return value;
  };
  keep("the signing secret", stack.chatJwtSecret);
  keep("the database's password", new URL(stack.databaseUrl).password);
  keep("the token of Redis", stack.redisRestToken);
  keep("the API key's secret", stack.apiKey.split("_").at(-1) ?? "");
  const session = keep("a sign-in", await stack.session("alice", { name: "Canary-Name" }));
  const tokens = await exchange(session);
  keep("a token", tokens.token);
  keep("a wsToken", tokens.wsToken);
  keep("a display name", "Canary-Name");
  const content = keep("what somebody wrote", "canary-content-of-a-message");
  const cookie = keep("a cookie", "canary-cookie=1");

  const [direct, gateway] = await talk(tokens.wsToken, content, "calm");
  await misuse(tokens, cookie);
  const outage = proxies.impose({ ...ALL, do: "refuse" });
  proxies.cut(ALL, "rst");
  await misuse(tokens, cookie);
  for (const path of ["/v1/channels", "/v1/channels/calm/messages"]) {
    const headers = { authorization: `Bearer ${tokens.token}`, cookie };
    expect((await fetch(`${stack.apiUrl}${path}`, { headers })).status).toBe(503);
  }
  direct.say({ type: "message", roomId: "calm", content, clientMessageId: "in-the-outage" });
  await direct.next("ack");
  await proxies.lift(outage);
  await Promise.all([direct.leave(), gateway.leave()]);
  for (const socket of [direct, gateway]) for (const frame of socket.all("error")) told.push(JSON.stringify(frame));
}

async function exchange(session: string): Promise<{ token: string; wsToken: string }> {
  const answer = await fetch(`${stack.apiUrl}/v1/token`, {
    method: "POST",
    headers: { authorization: `Bearer ${session}` },
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { token: string; wsToken: string }; // the documented answer
}

async function talk(wsToken: string, content: string, room: string): Promise<[ChatSocket, ChatSocket]> {
  const direct = new ChatSocket(`${stack.roomUrl(room)}?token=${wsToken}`);
  await direct.next("room_joined");
  const gateway = ChatSocket.withToken(`${stack.wsUrl}?roomId=${room}`, wsToken);
  await gateway.next("room_joined");
  direct.say({ type: "message", content, clientMessageId: `hello-${room}` });
  await gateway.next("message");
  gateway.say({ type: "message", content: `${content}\u0000`, clientMessageId: `spoilt-${room}` });
  gateway.say({ type: content, token: wsToken });
  gateway.say({ type: "message", content: [content, wsToken] });
  await gateway.next("error", ({ code }) => code === "unknown_type");
  return [direct, gateway];
}

/** Each secret where it does not belong: in other headers, in addresses, in bodies, in place of another. */
async function misuse({ token, wsToken }: { token: string; wsToken: string }, cookie: string): Promise<void> {
  const ask = async (path: string, init: RequestInit = {}): Promise<void> => {
    const answer = await fetch(`${stack.apiUrl}${path}`, init);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    told.push(`${JSON.stringify([...answer.headers])} ${await answer.text()}`);
  };
  const bearer = (value: string, more: Record<string, string> = {}) => ({
    headers: { authorization: `Bearer ${value}`, cookie, ...more },
  });
  const post = (body: string, headers: Record<string, string>) => ({
    method: "POST",
    body,
    headers: { "content-type": "application/json", cookie, ...headers },
  });
  const { apiKey } = stack;
  await ask("/v1/channels", bearer(wsToken));
  await ask("/v1/token", { method: "POST", ...bearer(`${token}x`) });
  await ask(`/v1/nothing/${wsToken}?api_key=${apiKey}`, bearer(token));
  await ask(`/v1/channels/${encodeURIComponent(apiKey)}/messages?token=${wsToken}`, bearer(token));
  await ask("/v1/tokens", post(JSON.stringify({ userId: wsToken.repeat(2), apiKey }), { "x-api-key": apiKey }));
  await ask("/v1/tokens", post(`{"userId":"${wsToken}`, { "x-api-key": apiKey }));
  await ask("/v1/tokens", post("{}", { "x-api-key": `${apiKey}x` }));
  await ask("/v1/channels/calm/messages?limit=none", bearer(token, { "user-agent": `canary ${wsToken} ${apiKey}` }));
  const bad = new ChatSocket(`${stack.wsUrl}?token=${wsToken}x`, {
    headers: { cookie, "user-agent": `agent ${wsToken}` },
  });
  told.push(JSON.stringify(await bad.closing()));
  const wrongKind = ChatSocket.withToken(stack.wsUrl, token);
  told.push(JSON.stringify(await wrongKind.closing()));
}

/** All that the stack's programs have written: a text for each file. */
async function readLogs(): Promise<string[]> {
  const folder = join(stack.dataDir, "logs");
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), "utf8")));
}

/** The lines that hold a secret, with its name in its place. `wrangler dev` writes every path it serves; no query. */
function linesWithSecrets(logs: string): string[] {
  const all = [...secrets];
  return logs
    .split("\n")
    .filter(
      (line) => !/^\[wrangler:info\] [A-Z]+ \/[^?]*$/.test(line) && all.some(([, secret]) => line.includes(secret)),
    )
    .map((line) => all.reduce((text, [name, secret]) => text.replaceAll(secret, `[${name}]`), line));
}

it("O01 no secret, no token, no cookie and nothing that was said is in any line of any log", async () => {
  const logs = (await readLogs()).join("\n");
  // It is the logs that are looked at, and what failed is in them.
  const marks = ['"event":"request"', '"event":"socket_opened"', '"event":"failure"', '"status":503'];
  expect(marks.filter((mark) => !logs.includes(mark))).toEqual([]);
  expect(linesWithSecrets(logs)).toEqual([]);
});

it("O01 no refusal, no error frame and no reason of a close repeats a secret", () => {
  expect(told.length).toBeGreaterThan(20);
  for (const text of told)
    expect([...secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => `${name} in ${text}`)).toEqual(
      [],
    );
});

it("O03 health names what is wrong, and no address, version, key or user", async () => {
  for (const path of ["/healthz", "/api/chat/health", "/v1/health"]) {
    const text = await (await fetch(`${stack.apiUrl}${path}`)).text();
    for (const address of [stack.databaseUrl, stack.redisRestUrl, stack.partyUrl, stack.issuer, "127.0.0.1", "alice"])
      expect(text).not.toContain(address);
    for (const secret of secrets.values()) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/\d+\.\d+\.\d+(?!\d*Z)/); // no version
  }
});
