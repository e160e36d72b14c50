import * as z from "zod/mini";
import { ConnectionReply, HealthReply, SignInReply } from "../../../protocol/http.ts";
import { CheckSkipped, type Check, type Run } from "../check.ts";
import { CheckFailed } from "../check-failed.ts";
import { describe, expectProblem, expectShape, expectStatus } from "../http-client.ts";

const group = "service";

/** Paths that must be in the OpenAPI document, aliases included. */
const DOCUMENTED = [
  "/v1/token",
  "/stream/token",
  "/api/chat/token",
  "/v1/tokens",
  "/tokens",
  "/api/tokens",
  "/v1/channels",
  "/stream/channel",
  "/healthz",
  "/api/chat/health",
  "/v1/health",
  "/api/chat/test-connection",
  "/v1/test-connection",
];

/** What a deployment says of itself, to anybody. */
export const SERVICE_CHECKS: readonly Check[] = [
  {
    group,
    name: "the service is alive",
    isVital: true,
    async run({ http }) {
      const answer = await http.ask("/healthz");
      expectStatus(answer, 200, "nothing else will work: is this the Worker's address?");
      expectShape(answer, z.object({ status: z.literal("ok") }), "something else answers at this address");
    },
  },
  { group, name: "the health report is good", run: (run) => checkHealth(run, "/api/chat/health") },
  { group, name: "the health report at its other address", run: (run) => checkHealth(run, "/v1/health") },
  {
    group,
    name: "every part answers a real round trip",
    async run({ http, options: { apiKey } }) {
      const answer = await http.ask("/api/chat/test-connection", apiKey === undefined ? {} : { apiKey });
      if (apiKey === undefined && answer.status === 401)
        throw new CheckSkipped("production asks for an API key here: give --api-key");
      expectStatus(answer, 200, "the steps in the answer name the part that is down and what to do");
      const { ok, steps } = expectShape(answer, ConnectionReply, "the deployment is of another version");
      const broken = steps.filter((step) => !step.ok);
      if (ok && broken.length === 0 && steps.length > 0)
        return steps.map(({ name, ms }) => `${name} ${Math.round(ms)} ms`).join(", ");
      const hints = broken.map(({ name, hint }) => `${name}: ${hint ?? "no hint"}`).join("; ");
      throw new CheckFailed(
        "every step to be ok",
        broken.map(({ name }) => name).join(", ") || "no steps",
        hints || "see health",
      );
    },
  },
  {
    group,
    name: "the OpenAPI document is there",
    async run({ http }) {
      const answer = await http.ask("/api/chats/openapi.json");
      const hint = "was the deployment built with npm run build?";
      expectStatus(answer, 200, hint);
      const shape = z.object({ openapi: z.string().check(z.startsWith("3.1")), paths: z.record(z.string(), z.json()) });
      const { paths } = expectShape(answer, shape, hint);
      const missing = DOCUMENTED.filter((path) => paths[path] === undefined);
      if (missing.length > 0) throw new CheckFailed("every route to be documented", `no ${missing.join(", ")}`, hint);
    },
  },
  { group, name: "the docs page comes whole from the deployment", run: checkDocsPage },
  {
    group,
    name: "the deployment says how people sign in",
    async run({ http }) {
      const answer = await http.ask("/v1/sign-in");
      expectStatus(answer, 200, "the chat page cannot sign anybody in without it");
      const { provider } = expectShape(answer, SignInReply, "the deployment is of another version");
      return provider === "none" ? "warning: no identity provider is configured" : provider;
    },
  },
  {
    group,
    name: "an unknown address is a problem document",
    async run({ http }) {
      const answer = await http.ask("/v1/smoke-test-no-such-route");
      expectProblem(answer, 404, ["not_found"], "does the Worker answer, or something in front of it?");
    },
  },
];

async function checkHealth({ http }: Run, path: string): Promise<string> {
  const answer = await http.ask(path);
  const report = z.safeParse(HealthReply, answer.json).data;
  const hints = (report?.checks ?? []).flatMap(({ name, hint }) => (hint === undefined ? [] : [`${name}: ${hint}`]));
  const hint = hints.join("; ") || "read the deployment's logs";
  expectStatus(answer, 200, hint);
  const { status, checks, warnings } = expectShape(answer, HealthReply, "the deployment is of another version");
  if (status === "unhealthy" || checks.some((check) => check.status === "unhealthy"))
    throw new CheckFailed("healthy or degraded", describe(answer), hint);
  return status === "healthy" ? status : `warning: degraded: ${[...warnings, ...hints].join("; ")}`;
}

async function checkDocsPage({ http }: Run): Promise<string> {
  const path = "/api/chats/docs";
  let answer = await http.ask(path);
  const moved = answer.headers.get("location");
  if (answer.status >= 300 && answer.status < 400 && moved !== null) answer = await http.ask(moved);
  const hint = "was the deployment built with npm run build?";
  expectStatus(answer, 200, hint);
  const base = new URL(moved ?? path, http.base);
  const parts = [...answer.text.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)="([^"]+)"/g)].map(
    ([, at]) => new URL(at ?? "", base),
  );
  if (!parts.some(({ pathname }) => pathname.endsWith(".js")))
    throw new CheckFailed("a page with scripts", describe(answer), hint);
  const foreign = parts.find(({ origin }) => origin !== http.base.origin);
  if (foreign !== undefined)
    throw new CheckFailed("scripts and styles from the deployment", foreign.href, "no CDN may serve them");
  for (const part of parts) expectStatus(await http.ask(part.pathname), 200, hint);
  return `${parts.length} files`;
}
