import * as z from "zod/mini";
import { parseJson } from "../../protocol/json.ts";
import { firstIssue } from "../../protocol/frames.ts";
import { CheckFailed } from "./check-failed.ts";

const JSON_MAX_DEPTH = 64;

export interface Answer {
  /** What was asked, for reports: `POST /v1/token`. */
  asked: string;
  status: number;
  headers: Headers;
  text: string;
  json: unknown;
}

export interface Question {
  method?: string;
  token?: string;
  apiKey?: string;
  origin?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface HttpClient {
  base: URL;
  ask(path: string, question?: Question): Promise<Answer>;
}

/** Asks one deployment. Redirects are answers; every question ends with the signal of the check that asks it. */
export function createHttpClient(base: URL, deadline: () => AbortSignal): HttpClient {
  return {
    base,
    async ask(path, { method = "GET", token, apiKey, origin, headers, body } = {}) {
      const asked = `${method} ${path}`;
      const init: RequestInit = { method, redirect: "manual", signal: deadline(), headers: new Headers(headers) };
      const given = new Headers(headers);
      if (token !== undefined) given.set("authorization", `Bearer ${token}`);
      if (apiKey !== undefined) given.set("x-api-key", apiKey);
      if (origin !== undefined) given.set("origin", origin);
      if (body !== undefined) given.set("content-type", "application/json");
      if (body !== undefined) init.body = JSON.stringify(body);
      const response = await fetch(new URL(path, base), { ...init, headers: given }).catch((error: unknown) => {
        throw unreachable(asked, base, error, deadline());
      });
      const text = await response.text();
      return { asked, status: response.status, headers: response.headers, text, json: parseJson(text, JSON_MAX_DEPTH) };
    },
  };
}

function unreachable(asked: string, base: URL, error: unknown, deadline: AbortSignal): unknown {
  if (deadline.aborted) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CheckFailed(`an answer to ${asked}`, reason, `is ${base.origin} the right address, and is it up?`);
}

/** @throws {CheckFailed} when the answer has another status */
export function expectStatus(answer: Answer, status: number | readonly number[], hint: string): void {
  const wanted = [status].flat();
  if (wanted.includes(answer.status)) return;
  throw new CheckFailed(`${answer.asked} to answer ${wanted.join(" or ")}`, describe(answer), hint);
}

/** @throws {CheckFailed} when the answer's JSON has another shape */
export function expectShape<Schema extends z.ZodMiniType>(
  answer: Answer,
  schema: Schema,
  hint: string,
): z.output<Schema> {
  const parsed = z.safeParse(schema, answer.json);
  if (parsed.success) return parsed.data;
  throw new CheckFailed(
    `the documented answer of ${answer.asked}`,
    `${firstIssue(parsed.error)} in ${describe(answer)}`,
    hint,
  );
}

/** @throws {CheckFailed} unless the answer is a problem document with that status and one of those codes */
export function expectProblem(answer: Answer, status: number, codes: readonly string[], hint: string): void {
  expectStatus(answer, status, hint);
  const type = answer.headers.get("content-type") ?? "no content type";
  const code = z.safeParse(z.object({ code: z.string() }), answer.json).data?.code;
  if (type.startsWith("application/problem+json") && code !== undefined && codes.includes(code)) return;
  throw new CheckFailed(`problem+json with code ${codes.join(" or ")}`, `${type}, ${describe(answer)}`, hint);
}

/** An answer in a few words, for a report. */
export function describe({ status, text }: Answer): string {
  const body = text.replace(/\s+/g, " ").trim();
  return `${status} ${body.length > 240 ? `${body.slice(0, 240)}…` : body}`.trim();
}
