import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import * as z from "zod";
import { type JsonReply, listenForJson, readText } from "./listen.ts";
import { parseJson } from "./parse-json.ts";
import { connectRedis, createMemoryRedis, type RedisBackend } from "./redis-backend.ts";

const MAX_BODY_BYTES = 10 * 1_024 * 1_024;

const Command = z
  .array(z.union([z.string(), z.number(), z.boolean()]).transform(String))
  .min(1, "must have a command's name");
const Commands = z.array(Command).min(1);

export interface RedisServerOptions {
  port?: number;
  token: string;
  redisUrl?: string | undefined;
}

export interface RedisServer {
  url: string;
  close(): Promise<void>;
}

/**
 * Speaks Upstash's REST protocol in front of a Redis, so that `@upstash/redis` and `@upstash/ratelimit` work against it
 * unchanged: one command, a pipeline, or a transaction, with a bearer token, answers in base64 when asked for.
 *
 * @param redisUrl A real Redis; without it the data is in this process and gone with it.
 */
export async function startRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  const backend = options.redisUrl === undefined ? createMemoryRedis() : await connectRedis(options.redisUrl);
  const server = await listenForJson(options.port ?? 0, async (request) => {
    if (!isAdmitted(request, options.token))
      return { status: 401, body: { error: "WRONGPASS invalid or missing auth token" } };
    const reply = await route(backend, request);
    return request.headers["upstash-encoding"] === "base64" ? { ...reply, body: encode(reply.body) } : reply;
  });
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await backend.close();
    },
  };
}

async function route(backend: RedisBackend, request: IncomingMessage): Promise<JsonReply> {
  const body = parseJson(await readText(request, MAX_BODY_BYTES));
  switch (`${request.method} ${request.url}`) {
    case "POST /":
      return await withShape(Command, body, async (command) => {
        const outcome = await settle(backend.run(command));
        return { status: "error" in outcome ? 400 : 200, body: outcome };
      });
    case "POST /pipeline":
      return await withShape(Commands, body, async (commands) => {
        const outcomes: Outcome[] = [];
        for (const command of commands) outcomes.push(await settle(backend.run(command)));
        return { status: 200, body: outcomes };
      });
    case "POST /multi-exec":
      return await withShape(Commands, body, async (commands) => {
        const outcome = await settle(backend.runTogether(commands));
        if ("error" in outcome) return { status: 400, body: outcome };
        return { status: 200, body: (outcome.result as unknown[]).map(toOutcome) }; // runTogether answers an array
      });
    default:
      return { status: 404, body: { error: `ERR there is nothing at ${request.method} ${request.url}` } };
  }
}

async function withShape<Shape extends z.ZodType>(
  shape: Shape,
  body: unknown,
  work: (parsed: z.infer<Shape>) => Promise<JsonReply>,
): Promise<JsonReply> {
  const parsed = shape.safeParse(body);
  if (parsed.success) return await work(parsed.data);
  return { status: 400, body: { error: `ERR failed to parse command: ${z.prettifyError(parsed.error)}` } };
}

type Outcome = { result: unknown } | { error: string };

async function settle(work: Promise<unknown>): Promise<Outcome> {
  return toOutcome(await work.catch((error: unknown) => (error instanceof Error ? error : new Error("ERR failed"))));
}

function toOutcome(value: unknown): Outcome {
  return value instanceof Error ? { error: value.message } : { result: value };
}

function isAdmitted({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Strings in results travel as base64; errors, numbers, null and a plain "OK" stay as they are. */
function encode(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(encode);
  if (typeof body === "object" && body !== null && "result" in body) return { result: encodeResult(body.result) };
  return body;
}

function encodeResult(value: unknown): unknown {
  if (value === "OK") return value;
  if (Array.isArray(value)) return value.map((item: unknown) => (item === "OK" ? base64("OK") : encodeResult(item)));
  return typeof value === "string" ? base64(value) : value;
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
