import * as z from "zod/mini";
import { answer, defineRoute } from "../route.ts";

export const healthz = defineRoute({
  id: "isAlive",
  method: "GET",
  path: "/healthz",
  tag: "Operations",
  summary: "Whether the service is alive; asks nothing else",
  auth: [],
  replies: { 200: { description: "Alive", schema: z.object({ status: z.literal("ok") }) } },
  errors: [],
  handler: async () => answer(200, { status: "ok" as const }),
});
