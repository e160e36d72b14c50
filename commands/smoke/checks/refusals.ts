import { randomBytes } from "node:crypto";
import { CLOSES } from "../../../protocol/errors.ts";
import type { Check, Run } from "../check.ts";
import { CheckFailed } from "../check-failed.ts";
import { expectProblem, type Question } from "../http-client.ts";
import { openSocket, socketUrl, upgradeStatus } from "../sockets.ts";
import { needTokens } from "./tokens.ts";

const group = "refusals";
const LEAK = "stop: this deployment lets strangers in";
const NOT_OURS = ["token_malformed", "bad_signature", "wrong_issuer", "bad_claims", "wrong_token_kind"];

/** What must not be possible. */
export const REFUSAL_CHECKS: readonly Check[] = [
  {
    group,
    name: "HTTP refuses a missing token",
    run: (run) => refuseAll(run, {}, ["token_missing", "invalid_api_key"]),
  },
  {
    group,
    name: "HTTP refuses a token nobody signed",
    run: (run) => refuseAll(run, { token: forgeToken("none") }, NOT_OURS),
  },
  {
    group,
    name: "HTTP refuses a token somebody else signed",
    run: (run) => refuseAll(run, { token: forgeToken("HS256") }, NOT_OURS),
  },
  {
    group,
    name: "minting refuses a key that does not exist",
    async run(run) {
      const apiKey = `chatsdk_test_smoke0000000_${randomBytes(32).toString("hex").slice(0, 43)}`;
      for (const path of ["/v1/tokens", "/tokens", "/api/tokens"]) {
        const answer = await run.http.ask(path, { method: "POST", apiKey, body: { userId: "smoke-alice" } });
        // An address that has tried ten wrong keys in a minute, as several runs do, is not listened to for a while.
        if (answer.status === 429) return "warning: refused by the limit on wrong keys; the rest was not looked at";
        expectProblem(answer, 401, ["invalid_api_key"], LEAK);
      }
      return undefined;
    },
  },
  {
    group,
    name: "a socket with an invalid token is closed with 4500",
    run: (run) => expectClose(run, forgeToken("HS256"), CLOSES.invalid_token),
  },
  {
    group,
    name: "a socket of a foreign origin is refused with 403",
    async run(run) {
      const headers = {
        origin: "https://evil.example",
        "sec-websocket-protocol": `chat.v1, chat.token.${forgeToken("HS256")}`,
      };
      const status = await upgradeStatus(socketUrl(run), headers, run.deadline);
      if (status !== 403)
        throw new CheckFailed("status 403", String(status), "is ALLOWED_ORIGINS a list of exact origins?");
    },
  },
  {
    group,
    name: "HTTP refuses a socket token",
    async run(run) {
      const { wsToken } = needTokens(run);
      for (const path of ["/v1/token", "/v1/channels"])
        expectProblem(await run.http.ask(path, { token: wsToken }), 401, ["wrong_token_kind"], LEAK);
    },
  },
  {
    group,
    name: "a socket with an HTTP token is closed with 4502",
    async run(run) {
      const { token } = needTokens(run);
      await expectClose(run, token, CLOSES.wrong_token_kind);
    },
  },
];

async function refuseAll({ http }: Run, question: Question, codes: readonly string[]): Promise<void> {
  const routes = [
    ["POST", "/v1/token"],
    ["POST", "/stream/token"],
    ["POST", "/api/chat/token"],
    ["GET", "/v1/token"],
    ["GET", "/v1/channels"],
    ["GET", "/v1/presence?roomId=lobby"],
  ] as const;
  for (const [method, path] of routes) expectProblem(await http.ask(path, { ...question, method }), 401, codes, LEAK);
}

async function expectClose(run: Run, token: string, code: number): Promise<void> {
  const socket = openSocket(run, socketUrl(run), { token });
  const came = await socket.closeCode(run.deadline, `close code ${code}`, LEAK);
  const hint =
    came === 1006 ? "browsers see only 1006 when the upgrade itself is refused" : "see the table of close codes";
  if (came !== code) throw new CheckFailed(`close code ${code}`, String(came), hint);
}

// Looks like a session token in every way but the one that counts.
function forgeToken(alg: "none" | "HS256"): string {
  const now = Math.floor(Date.now() / 1_000);
  const header = { alg, typ: "JWT", kid: "smoke" };
  const payload = { iss: "https://smoke.invalid", sub: "smoke-mallory", iat: now, exp: now + 60 };
  const [first, second] = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return `${first}.${second}.${alg === "none" ? "" : randomBytes(32).toString("base64url")}`;
}
