import * as z from "zod/mini";
import { type Caller, userIdentity } from "../domain/callers.ts";
import type { Deps } from "../domain/deps.ts";
import type { KeyGuard } from "../domain/key-guard.ts";
import { requireUnrestricted } from "../domain/restriction.ts";
import type { Asked, RefusedRequests } from "../domain/refused-requests.ts";
import { ChatError, ERRORS } from "../protocol/errors.ts";
import { firstIssue } from "../protocol/frames.ts";
import { type AppId, ChannelId, UserId } from "../protocol/ids.ts";
import {
  addLimitHeaders,
  type AnswerHeaders,
  type HeaderFields,
  jsonAnswer,
  optionsAnswer,
  problemAnswer,
} from "./answer.ts";
import { authenticate } from "./authenticate.ts";
import { readJsonBody } from "./body.ts";
import type { Call, Route } from "./route.ts";
import { type RawUrl, readParams, readQuery, splitUrl } from "./url.ts";

export interface EndpointDeps {
  deps: Deps;
  headers: AnswerHeaders;
  guard: KeyGuard;
  refused: RefusedRequests;
  addressOf: (request: Request) => string;
}

/** What is learned about a request on its way, for its log line. */
interface Trace {
  requestId: string;
  startedAt: number;
  route: string;
  userId: string | undefined;
  code: string | undefined;
  about: Pick<Asked, "channelId" | "userId"> | undefined;
}

const NO_BODY: unknown = Object.freeze({});
const DECIMAL = /^(0|[1-9]\d{0,15})$/;

/** Serves one path: the routes there are for it, by method, and a fitting answer to every other request. No routes: 404. */
export class Endpoint {
  readonly #own: EndpointDeps;
  readonly #pattern: string;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #allow: string;

  constructor(own: EndpointDeps, pattern: string, routes: readonly Route[]) {
    this.#own = own;
    this.#pattern = pattern;
    this.#routes = new Map(routes.flatMap((route) => methodsOf(route).map((method) => [method, route])));
    this.#allow = [...this.#routes.keys(), "OPTIONS"].join(", ");
  }

  async serve(request: Request): Promise<Response> {
    const { deps } = this.#own;
    const trace: Trace = {
      requestId: crypto.randomUUID(),
      startedAt: deps.now(),
      route: this.#pattern,
      userId: undefined,
      code: undefined,
      about: undefined,
    };
    const headers = this.#own.headers.for(request.headers.get("origin"), trace.requestId);
    const response = await this.#answer(request, headers, trace);
    const { startedAt, about: _, ...told } = trace;
    const ms = deps.now() - startedAt;
    deps.log({ event: "request", method: request.method, status: response.status, ms, ...told });
    return response;
  }

  async #answer(request: Request, headers: HeaderFields, trace: Trace): Promise<Response> {
    try {
      const route = this.#routes.get(request.method);
      if (route !== undefined) return await this.#run(route, request, headers, trace);
      if (this.#routes.size === 0) throw new ChatError("not_found");
      headers["allow"] = this.#allow;
      if (request.method !== "OPTIONS") throw new ChatError("method_not_allowed");
      if (!this.#own.headers.isAllowed(request.headers.get("origin"))) throw new ChatError("bad_origin");
      return optionsAnswer(request, this.#allow, headers);
    } catch (error) {
      const known = error instanceof ChatError ? error : new ChatError("internal", { cause: error });
      trace.code = known.code;
      this.#report(known, error, trace);
      return problemAnswer(known, trace.requestId, headers);
    }
  }

  #report({ code, cause }: ChatError, thrown: unknown, { requestId, route }: Trace): void {
    if (code === "internal") this.#own.deps.log({ event: "bug", requestId, route, error: thrown });
    else if (ERRORS[code].status >= 500 && cause !== undefined)
      this.#own.deps.log({ event: "failure", requestId, route, code, error: cause });
  }

  async #run(route: Route, request: Request, headers: HeaderFields, trace: Trace): Promise<Response> {
    const { deps, guard, addressOf } = this.#own;
    const url = splitUrl(request.url);
    const address = addressOf(request);
    const caller =
      route.auth.length === 0 || route.isOpen?.(deps.settings) === true
        ? undefined
        : await authenticate(deps, guard, route.auth, { headers: request.headers, query: url.query, address });
    trace.userId = caller === undefined || caller.by === "key" ? undefined : caller.userId;
    if (caller === undefined) return await this.#handle(route, request, headers, trace, { url, address, caller });
    try {
      return await this.#handle(route, request, headers, trace, { url, address, caller });
    } catch (error) {
      const asked = { operation: route.id, ...trace.about };
      if (error instanceof ChatError) this.#own.refused.note(caller, asked, error, trace.requestId);
      throw error;
    }
  }

  async #handle(
    route: Route,
    request: Request,
    headers: HeaderFields,
    trace: Trace,
    { url, address, caller }: { url: RawUrl; address: string; caller: Caller | undefined },
  ): Promise<Response> {
    const { deps } = this.#own;
    const { requestId, startedAt } = trace;
    const parsed = await this.#parse(route, request, url);
    trace.about = aboutOf(route, parsed);
    const call = { caller: caller as Caller, address, requestId, startedAt, ...parsed };
    if (route.limit !== undefined) await this.#limit(route.limit, call, headers);
    const answer = await route.handler(deps, call);
    if (answer.headers !== undefined) Object.assign(headers, answer.headers);
    return jsonAnswer(answer.status, answer.body, headers);
  }

  async #parse(
    route: Route,
    request: Request,
    url: RawUrl,
  ): Promise<{ params: unknown; query: unknown; body: unknown }> {
    return {
      params: route.params && parseWith(route, route.params, readParams(this.#pattern, url.path)),
      query: route.query && parseWith(route, route.query, readQueryValues(route.query, url.query)),
      body: route.body && (await readBody(route, route.body, request)),
    };
  }

  /** What the caller may still do, and whether they may do anything: one round trip finds out both. */
  async #limit({ policy, by, about }: NonNullable<Route["limit"]>, call: Call, headers: HeaderFields): Promise<void> {
    const { deps } = this.#own;
    const identity = by(call);
    const answer = await deps.limiter.take(policy, identity);
    addLimitHeaders(headers, policy, answer);
    if (!answer.allowed)
      throw new ChatError("rate_limited", { retryAfterMs: Math.max(1, Math.ceil(answer.resetSeconds)) * 1_000 });
    const person = personOf(call.caller, about?.(call));
    if (person === undefined) return;
    const { app, userId, issuedAt } = person;
    const known = identity === userIdentity(app, userId) ? answer.restriction : undefined;
    requireUnrestricted(known ?? (await deps.store.findRestriction(app, userId)), issuedAt, deps.now());
  }
}

/** Whom a request is for, and when the token was issued that says so. */
function personOf(
  caller: Caller | undefined,
  about: UserId | undefined,
): { app: AppId; userId: UserId; issuedAt: number | undefined } | undefined {
  if (caller === undefined || caller.by !== "key") return caller;
  return about === undefined ? undefined : { app: caller.app, userId: about, issuedAt: undefined };
}

/** The channel and the person that a request names. What is no id is left out: it goes into the audit log. */
function aboutOf({ path }: Route, { params, query, body }: Record<"params" | "query" | "body", unknown>) {
  const named: Record<string, unknown> = { ...(body as object), ...(query as object), ...(params as object) };
  const isChannel = path.startsWith("/v1/channels/");
  const channel = isChannel ? named["id"] : (named["channelId"] ?? named["channel_id"] ?? named["roomId"]);
  return {
    channelId: ChannelId.safeParse(channel).data,
    userId: UserId.safeParse(isChannel ? named["userId"] : (named["id"] ?? named["userId"])).data,
  };
}

function methodsOf({ method }: Route): string[] {
  return method === "GET" ? ["GET", "HEAD"] : [method];
}

async function readBody(route: Route, schema: z.ZodMiniType, request: Request): Promise<unknown> {
  const body = await readJsonBody(request);
  // A body that may be left out reads as the empty object its schema has been shown to take.
  if (body === undefined && route.bodyIsOptional === true) return NO_BODY;
  return parseWith(route, schema, body);
}

function readQueryValues(schema: z.ZodMiniType, query: string): Record<string, unknown> {
  const read = (name: string, raw: string | undefined): unknown => {
    // A parameter given twice is not a string any more, so no schema takes it.
    if (raw === undefined) return null;
    return DECIMAL.test(raw) && takesNumber(schema, name) ? Number(raw) : raw;
  };
  return Object.fromEntries([...readQuery(query)].map(([name, raw]) => [name, read(name, raw)]));
}

function takesNumber(schema: z.ZodMiniType, name: string): boolean {
  if (!(schema instanceof z.ZodMiniObject)) return false;
  const field: unknown = schema.shape[name];
  return (field instanceof z.ZodMiniOptional ? field._zod.def.innerType : field) instanceof z.ZodMiniNumber;
}

function parseWith(route: Route, schema: z.ZodMiniType, value: unknown): unknown {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path[0];
  const code = (typeof field === "string" ? route.invalid?.[field] : undefined) ?? "bad_request";
  throw new ChatError(code, { detail: firstIssue(parsed.error) });
}
