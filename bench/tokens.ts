import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { load, median, type LoadShape } from "./load.ts";
import { bundleWorker, startNode, startWorkerd, type BenchServer } from "./workerd.ts";

const ISSUER = "https://issuer.example";
const ROUNDS = 5;
const WARM_UP = 1_000;
const COUNTED = 4_000;
const MAX_BUNDLE_BYTES = 120_000;
const path = (name: string): string => fileURLToPath(new URL(`./tokens/${name}`, import.meta.url));

interface Contestant {
  name: string;
  start: () => Promise<BenchServer>;
  method: "GET" | "POST";
  path: string;
  headers: (n: number) => Record<string, string>;
}

/**
 * What a token exchange costs, next to the least it could cost and to the usual alternative.
 *
 * Each contestant runs alone in a fresh process per round, the rounds in turn, so that a machine that slows down slows all
 * of them. The figure is requests per second of the server's own CPU; the load generator's is not counted.
 */
export async function benchTokens(): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const publicJwk = JSON.stringify({ ...publicKey.export({ format: "jwk" }), kid: "bench", alg: "RS256", use: "sig" });
  const tokens = Array.from({ length: WARM_UP + COUNTED }, (_, n) => sessionToken(privateKey, n));
  const bindings = { PUBLIC_JWK: publicJwk, ISSUER, SECRET: "c3VjaC1hLWxvbmctYmVuY2htYXJrLXNpZ25pbmcta2V5" };
  const bundles = {
    parley: await bundleWorker(path("parley.ts")),
    bare: await bundleWorker(path("bare-hono.ts")),
    empty: await bundleWorker(path("empty.ts")),
  };
  const fresh = (n: number): Record<string, string> => ({ authorization: `Bearer ${tokens[n] ?? ""}` });
  const again = (): Record<string, string> => fresh(0);
  const exchange = { method: "POST", path: "/v1/token" } as const;
  const contestants: Contestant[] = [
    {
      name: "Parley, each sign-in new",
      start: () => startWorkerd(bundles.parley, bindings),
      ...exchange,
      headers: fresh,
    },
    {
      name: "Parley, a sign-in seen again",
      start: () => startWorkerd(bundles.parley, bindings),
      ...exchange,
      headers: again,
    },
    { name: "bare Hono and jose", start: () => startWorkerd(bundles.bare, bindings), ...exchange, headers: fresh },
    {
      name: "Express and jsonwebtoken",
      start: () => startNode(path("express.ts"), bindings),
      ...exchange,
      headers: fresh,
    },
    {
      name: "an empty Hono handler",
      start: () => startWorkerd(bundles.empty),
      method: "GET",
      path: "/",
      headers: () => ({}),
    },
  ];
  const rates = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const contestant of contestants) {
      process.stderr.write(`\rround ${round} of ${ROUNDS}: ${contestant.name.padEnd(32)}`);
      rates.get(contestant.name)?.push(await measure(contestant));
    }
  }
  process.stderr.write("\n");
  report(rates);
  await reportWorker(bundles.empty);
}

async function measure(contestant: Contestant): Promise<number> {
  const server = await contestant.start();
  try {
    const shape: LoadShape = {
      path: contestant.path,
      method: contestant.method,
      headers: contestant.headers,
      requests: WARM_UP,
      concurrency: 16,
    };
    const warm = await load(server, shape);
    const counted = await load(server, {
      ...shape,
      headers: (n) => contestant.headers(n + WARM_UP),
      requests: COUNTED,
    });
    const failures = warm.failures + counted.failures;
    if (failures > 0) throw new Error(`${contestant.name}: ${failures} requests were refused`);
    return counted.perCpuSecond;
  } finally {
    await server.stop();
  }
}

function report(rates: Map<string, number[]>): void {
  console.log("requests per CPU-second (median, lowest, highest of the rounds)");
  for (const [name, all] of rates)
    console.log(
      `  ${name.padEnd(32)} ${[median(all), Math.min(...all), Math.max(...all)].map((rate) => String(Math.round(rate)).padStart(7)).join(" ")}`,
    );
  // Ratios are taken round by round, so that both sides of one saw the same machine.
  const ratio = (over: string, under: string): number =>
    median((rates.get(over) ?? []).map((rate, round) => rate / (rates.get(under)?.[round] ?? Number.NaN)));
  const line = (text: string, value: number, goal: string, reached: boolean): void =>
    reportGoal(text, value.toFixed(2), goal, reached);
  const cost = ratio("bare Hono and jose", "Parley, each sign-in new");
  line("CPU of an exchange over a bare Hono and jose handler", cost, "at most 1.5", cost <= 1.5);
  const express = ratio("Parley, each sign-in new", "Express and jsonwebtoken");
  line("answers per CPU-second over Express and jsonwebtoken", express, "at least 1.2", express >= 1.2);
  const cached = ratio("Parley, a sign-in seen again", "Parley, each sign-in new");
  line("rate of a sign-in seen again over a new one", cached, "at least 1.5", cached >= 1.5);
}

/** The whole Worker, gateway included, as it is deployed; the docs page is not part of it. */
async function reportWorker(empty: string): Promise<void> {
  const worker = await bundleWorker(path("../../functions/index.ts"));
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) costs.push((await startCpu(worker)) - (await startCpu(empty)));
  const milliseconds = median(costs) * 1_000;
  const bytes = gzipSync(worker, { level: 9 }).length;
  const start = "CPU of starting and the first answer, over an empty Worker's, ms";
  reportGoal(start, milliseconds.toFixed(0), "under 50", milliseconds < 50);
  reportGoal("the Worker's bundle, gzipped, bytes", String(bytes), "at most 120,000", bytes <= MAX_BUNDLE_BYTES);
}

function reportGoal(text: string, value: string, goal: string, reached: boolean): void {
  console.log(`${reached ? "reached" : "MISSED "}  ${text.padEnd(66)} ${value}  (${goal})`);
}

async function startCpu(code: string): Promise<number> {
  const server = await startWorkerd(code);
  try {
    return await server.cpuSeconds();
  } finally {
    await server.stop();
  }
}

function sessionToken(key: KeyObject, n: number): string {
  const now = Math.floor(Date.now() / 1_000);
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iss: ISSUER,
    sub: `user_${n}`,
    azp: "https://app.example",
    iat: now,
    nbf: now - 5,
    exp: now + 3_600,
    sid: `sess_${n}`,
    name: "A Person",
  };
  const input = `${encode({ alg: "RS256", kid: "bench", typ: "JWT" })}.${encode(claims)}`;
  return `${input}.${createSign("sha256").update(input).sign(key, "base64url")}`;
}
