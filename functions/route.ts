import type * as z from "zod/mini";
import { type Caller, identityOf, type KeyCaller, type SessionCaller, type TokenCaller } from "../domain/callers.ts";
import type { Settings } from "../domain/config.ts";
import type { Deps } from "../domain/deps.ts";
import type { LimitPolicyName } from "../domain/ports/limiter.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { UserId } from "../protocol/ids.ts";

interface CallerBy {
  session: SessionCaller;
  token: TokenCaller;
  key: KeyCaller;
}
export type Credential = keyof CallerBy;

type Schema = z.ZodMiniType;
type Parsed<S> = S extends Schema ? z.output<S> : undefined;

/** One request, parsed and checked as its route says. */
export interface Call<By extends Credential = Credential, Params = unknown, Query = unknown, Body = unknown> {
  caller: [By] extends [never] ? undefined : CallerBy[By];
  params: Params;
  query: Query;
  body: Body;
  /** Where the request came from, as the platform says; never a header that clients can set. */
  address: string;
  /** Names the request in answers, logs and the audit log. */
  requestId: string;
  /** When it came, in milliseconds since 1970: before anything was asked about its caller. */
  startedAt: number;
}

export interface Reply {
  description: string;
  schema: Schema;
}
type Replies = Readonly<Record<number, Reply>>;
type AnswerOf<R extends Replies> = {
  [Status in keyof R & number]: {
    status: Status;
    body: z.output<R[Status]["schema"]>;
    headers?: Readonly<Record<string, string>>;
  };
}[keyof R & number];

/** A route as data: what serves a request is what the OpenAPI document is generated from. */
export interface RouteDefinition<
  By extends Credential = Credential,
  P extends Schema | undefined = Schema | undefined,
  Q extends Schema | undefined = Schema | undefined,
  B extends Schema | undefined = Schema | undefined,
  R extends Replies = Replies,
> {
  /** The `operationId`. */
  id: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** The canonical path, with `:name` for each parameter. */
  path: string;
  /** Other paths that serve the same. */
  aliases?: readonly string[];
  tag: "Tokens" | "People" | "Channels" | "Presence" | "Operations" | "Sockets";
  summary: string;
  description?: string;
  /** Which credentials are taken; empty for a public route. */
  auth: readonly By[];
  /** Where the route needs no credential all the same. */
  isOpen?: (settings: Settings) => boolean;
  params?: P;
  /** An object of strings and numbers; numbers are read from plain decimals. */
  query?: Q;
  body?: B;
  /** Whether the body may be left out; it then reads as `{}`. */
  bodyIsOptional?: boolean;
  replies: R;
  /** The codes this route may answer with, beside those every route has. */
  errors: readonly ErrorCode[];
  /** The code for a value that does not fit, by field; `bad_request` for the others. */
  invalid?: Readonly<Record<string, ErrorCode>>;
  limit?: {
    policy: LimitPolicyName;
    by: (call: Call<By, Parsed<P>, Parsed<Q>, Parsed<B>>) => string;
    /** The user it is about, where that is not the caller: whether they are banned is found out as well. */
    about?: (call: Call<By, Parsed<P>, Parsed<Q>, Parsed<B>>) => UserId;
  };
  handler: (deps: Deps, call: Call<By, Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<AnswerOf<R>>;
}

/** A route whose own types are forgotten, as the list of all routes holds it. */
export interface Route extends Omit<RouteDefinition, "limit" | "handler"> {
  limit?: { policy: LimitPolicyName; by: (call: Call) => string; about?: (call: Call) => UserId };
  handler: (
    deps: Deps,
    call: Call,
  ) => Promise<{ status: number; body: unknown; headers?: Readonly<Record<string, string>> }>;
}

/** Declares a route; the handler's call and answer are typed by its schemas. */
export function defineRoute<
  const By extends Credential = never,
  P extends Schema | undefined = undefined,
  Q extends Schema | undefined = undefined,
  B extends Schema | undefined = undefined,
  const R extends Replies = Replies,
>(route: RouteDefinition<By, P, Q, B, R>): Route {
  // The endpoint parses with these very schemas before it calls, so the handler gets what its types say.
  return route as unknown as Route;
}

/** The limit of a route that counts each caller by itself. */
export function perCaller(policy: LimitPolicyName): {
  policy: LimitPolicyName;
  by: (call: { caller: Caller }) => string;
} {
  return { policy, by: ({ caller }) => identityOf(caller) };
}

/** An answer of one of the route's replies; keeps the status as the literal that says which. */
export function answer<const Status extends number, Body>(status: Status, body: Body): { status: Status; body: Body } {
  return { status, body };
}
