import { words } from "#words";
import * as z from "zod/mini";
import { testConnection } from "../../domain/connection-test.ts";
import { checkHealth } from "../../domain/health.ts";
import { signInOf } from "../../domain/sign-in.ts";
import { ConnectionReply, HealthReply, SignInReply } from "../../protocol/http.ts";
import { answer, defineRoute } from "../route.ts";
import { KEY_ERRORS } from "./credentials.ts";

export const healthz = defineRoute({
  id: "isAlive",
  method: "GET",
  path: "/healthz",
  tag: "Operations",
  summary: words("Whether the service is alive; asks nothing else"),
  auth: [],
  replies: { 200: { description: words("Alive"), schema: z.object({ status: z.literal("ok") }) } },
  errors: [],
  handler: async () => answer(200, { status: "ok" as const }),
});

export const health = defineRoute({
  id: "checkHealth",
  method: "GET",
  path: "/api/chat/health",
  aliases: ["/v1/health"],
  tag: "Operations",
  summary: words("How this deployment is, dependency by dependency, with a hint for each problem"),
  auth: [],
  replies: {
    200: { description: words("`healthy`, or `degraded` with warnings"), schema: HealthReply },
    503: { description: words("`unhealthy`"), schema: HealthReply },
  },
  errors: [],
  handler: async (deps) => {
    const report = await deps.recentHealth.get(() => checkHealth(deps));
    return report.status === "unhealthy" ? answer(503, report) : answer(200, report);
  },
});

export const connectionTest = defineRoute({
  id: "testConnection",
  method: "GET",
  path: "/api/chat/test-connection",
  aliases: ["/v1/test-connection"],
  tag: "Operations",
  summary: words("Real round trips to every dependency, with milliseconds"),
  description: words("Needs an API key in production."),
  auth: ["key"],
  isOpen: ({ ENVIRONMENT }) => ENVIRONMENT !== "production",
  replies: {
    200: { description: words("Every step worked"), schema: ConnectionReply },
    503: { description: words("A step did not; its hint says where to look"), schema: ConnectionReply },
  },
  errors: [...KEY_ERRORS, "rate_limited"],
  limit: { policy: "read", by: ({ address }) => `address:${address}` },
  handler: async (deps) => {
    const report = await deps.recentTest.get(() => testConnection(deps));
    return report.ok ? answer(200, report) : answer(503, report);
  },
});

export const signIn = defineRoute({
  id: "readSignIn",
  method: "GET",
  path: "/v1/sign-in",
  tag: "Operations",
  summary: words("How people sign in at this deployment"),
  auth: [],
  replies: { 200: { description: words("Public facts about the identity provider"), schema: SignInReply } },
  errors: [],
  handler: async ({ settings }) => answer(200, signInOf(settings)),
});
