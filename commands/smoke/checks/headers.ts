import { NO_TOKEN, need, type Check, type Run } from "../check.ts";
import { CheckFailed } from "../check-failed.ts";
import { expectStatus, type Answer } from "../http-client.ts";

const group = "headers";
const EVIL_ORIGIN = "https://evil.example";

/** Headers that protect browsers, and those that tell clients how much they may still ask. */
export const HEADER_CHECKS: readonly Check[] = [
  {
    group,
    name: "API answers carry security headers",
    async run({ http }) {
      const answer = await http.ask("/v1/health");
      expectHeader(answer, "x-content-type-options", /^nosniff$/);
      expectHeader(answer, "cache-control", /no-store/);
      expectTransport(answer, http.base);
    },
  },
  {
    group,
    name: "the page carries security headers",
    async run({ http }) {
      const answer = await http.ask("/");
      expectStatus(answer, 200, "is the page deployed with the Worker (assets in wrangler.toml)?");
      expectHeader(answer, "x-content-type-options", /^nosniff$/);
      expectHeader(answer, "content-security-policy", /default-src '(self|none)'/);
      expectHeader(answer, "content-security-policy", /^(?!.*unsafe-)/, "no unsafe-inline and no unsafe-eval in");
      expectHeader(answer, "content-security-policy", /frame-ancestors 'none'/);
      expectTransport(answer, http.base);
    },
  },
  { group, name: "a foreign origin gets no CORS leave to ask", run: (run) => expectNoLeave(run, "OPTIONS") },
  { group, name: "a foreign origin gets no CORS leave to read", run: (run) => expectNoLeave(run, "GET") },
  {
    group,
    name: "token answers say how many are left",
    async run({ rateHeaders }) {
      const headers = need(rateHeaders, NO_TOKEN);
      for (const name of ["ratelimit-policy", "ratelimit"])
        if (!/\d/.test(headers.get(name) ?? ""))
          throw new CheckFailed(
            `a ${name} header with numbers`,
            headers.get(name) ?? "none",
            "is the limiter in front of the token routes?",
          );
      return `RateLimit: ${headers.get("ratelimit")}`;
    },
  },
  {
    group,
    name: "token answers are never cached",
    async run({ rateHeaders }) {
      const stored = need(rateHeaders, NO_TOKEN).get("cache-control") ?? "none";
      if (!stored.includes("no-store"))
        throw new CheckFailed(
          "cache-control: no-store",
          stored,
          "a cache in between would hand out somebody else's token",
        );
    },
  },
];

async function expectNoLeave({ http }: Run, method: string): Promise<void> {
  const headers =
    method === "OPTIONS"
      ? { "access-control-request-method": "POST", "access-control-request-headers": "authorization" }
      : {};
  const path = method === "OPTIONS" ? "/v1/token" : "/v1/health";
  const answer = await http.ask(path, { method, origin: EVIL_ORIGIN, headers });
  const allowed = answer.headers.get("access-control-allow-origin");
  if (allowed !== null && allowed !== http.base.origin)
    throw new CheckFailed("no Access-Control-Allow-Origin", allowed, "is ALLOWED_ORIGINS a list of exact origins?");
  if (answer.status >= 500) expectStatus(answer, [200, 204, 403], "a preflight must not fail on our side");
}

function expectHeader(
  { asked, headers }: Answer,
  name: string,
  pattern: RegExp,
  wanted = `${pattern.source} in`,
): void {
  const value = headers.get(name);
  if (value !== null && pattern.test(value)) return;
  throw new CheckFailed(
    `${asked}: ${wanted} ${name}`,
    value ?? "no such header",
    "is something in front of the deployment removing headers?",
  );
}

// Only https can ask browsers to stay on https.
function expectTransport(answer: Answer, base: URL): void {
  if (base.protocol === "https:") expectHeader(answer, "strict-transport-security", /max-age=[1-9]/);
}
