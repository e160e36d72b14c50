import type { Route } from "./route.ts";
import { healthz } from "./routes/healthz.ts";
import { exchange, mint, status } from "./routes/tokens.ts";

/** Every route there is. The OpenAPI document is generated from this list. */
export const ROUTES: readonly Route[] = [exchange, status, mint, healthz];
