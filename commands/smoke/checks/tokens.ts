import * as z from "zod/mini";
import { StatusReply, TokenReply } from "../../../protocol/http.ts";
import { CheckSkipped, NO_TOKEN, need, type Check, type Run } from "../check.ts";
import { CheckFailed } from "../check-failed.ts";
import { describe, expectShape, expectStatus, type Answer, type Question } from "../http-client.ts";

const group = "tokens";
// Fixed, so that a hundred runs leave two users behind and not two hundred.
const PEOPLE = [
  { userId: "smoke-alice", name: "Smoke Alice" },
  { userId: "smoke-bob", name: "Smoke Bob" },
] as const;

/** Tokens by each way the arguments allow, and what the two kinds are good for. */
export const TOKEN_CHECKS: readonly Check[] = [
  {
    group,
    name: "a session token is exchanged for chat tokens",
    async run(run) {
      const token = need(run.options.sessionToken, "no session token: give --token or --token-file");
      const { reply, answer } = await getTokens(run, "/v1/token", { token });
      run.exchanged = reply;
      run.rateHeaders = answer.headers;
      return `user ${reply.userId}`;
    },
  },
  {
    group,
    name: "an API key mints tokens for two users",
    async run(run) {
      const apiKey = need(run.options.apiKey, "no API key: give --api-key or set CHATSDK_API_KEY");
      // Each user at another address of the same route: a mint is worth a tenth of the limit.
      const [first, second] = [
        await getTokens(run, "/v1/tokens", { apiKey, body: PEOPLE[0] }),
        await getTokens(run, "/tokens", { apiKey, body: PEOPLE[1] }),
      ];
      run.rateHeaders ??= first.answer.headers;
      run.people = { first: first.reply, second: second.reply };
      for (const [at, { reply }] of [first, second].entries())
        if (
          reply.userId !== PEOPLE[at]?.userId ||
          reply.user.id !== reply.userId ||
          reply.user.name !== PEOPLE[at]?.name
        )
          throw new CheckFailed(
            `tokens of ${PEOPLE[at]?.userId}`,
            `tokens of ${reply.userId} (${reply.user.name})`,
            "the mint route ignores its body",
          );
    },
  },
  {
    group,
    name: "the two tokens are of two kinds and one user",
    async run(run) {
      const reply = needTokens(run);
      const [rest, ws] = [readClaims(reply.token, "token"), readClaims(reply.wsToken, "wsToken")];
      const hint = "the documented tokens carry typ, aud, sub, exp and iss of their own";
      const facts = [
        ["token aud", rest.aud, "chat:rest"],
        ["wsToken aud", ws.aud, "chat:ws"],
        ["token typ", rest.typ, "chat-rest+jwt"],
        ["wsToken typ", ws.typ, "chat-ws+jwt"],
        ["token sub", rest.sub, reply.userId],
        ["wsToken sub", ws.sub, reply.userId],
        ["user_id", reply.user_id, reply.userId],
        ["token life", rest.exp - rest.iat, reply.expiresIn],
      ] as const;
      for (const [name, came, expected] of facts)
        if (came !== expected) throw new CheckFailed(`${name} ${expected}`, String(came), hint);
      const scheme = run.options.url.protocol === "https:" ? "wss:" : "ws:";
      if (!URL.canParse(reply.wsUrl) || new URL(reply.wsUrl).protocol !== scheme)
        throw new CheckFailed(
          `a wsUrl that starts with ${scheme}//`,
          reply.wsUrl,
          "is PUBLIC_URL set to this deployment's address?",
        );
      return new URL(reply.wsUrl).host === run.options.url.host
        ? undefined
        : `warning: wsUrl names another host, ${new URL(reply.wsUrl).host}`;
    },
  },
  {
    group,
    name: "the chat token tells its user's status",
    async run(run) {
      const { token, userId } = needTokens(run);
      const answer = await run.http.ask("/v1/token", { token });
      expectStatus(answer, 200, "the token that was just issued is not accepted: one secret, one PUBLIC_URL?");
      const status = expectShape(answer, StatusReply, "the deployment is of another version");
      if (status.userId !== userId)
        throw new CheckFailed(`the status of ${userId}`, `that of ${status.userId}`, "whose token was it?");
      if (/eyJ/.test(answer.text))
        throw new CheckFailed("a status", "a token in it", "a status must never carry a token");
    },
  },
];

/**
 * Tokens that were issued, of one of the two people or of the one who was exchanged.
 *
 * @throws {CheckSkipped} when there are none, or when they are for another chat than Parley's own.
 */
export function needTokens({ people, exchanged }: Run): TokenReply {
  const reply = need(people?.first ?? exchanged, NO_TOKEN);
  // Only a deployment that mints for Stream names the app's public key there.
  if (reply.apiKey !== undefined) throw new CheckSkipped("this deployment's chat is at Stream (CHAT_DRIVER=stream)");
  return reply;
}

async function getTokens(run: Run, path: string, question: Question): Promise<{ reply: TokenReply; answer: Answer }> {
  const answer = await run.http.ask(path, { method: "POST", ...question });
  expectStatus(answer, 200, hintFor(answer));
  const reply = expectShape(answer, TokenReply, "the deployment is of another version");
  if (Date.parse(reply.expiresAt) > Date.now() && reply.expiresIn > 0) return { reply, answer };
  throw new CheckFailed("tokens that still live", describe(answer), "is a clock wrong, here or there?");
}

function hintFor({ status, headers }: Answer): string {
  if (status === 429) return `10 tokens per user in 15 minutes: wait ${headers.get("retry-after") ?? "some"} seconds`;
  if (status === 401)
    return "the code in the answer says what is wrong; a session token of Clerk lives for a minute only";
  if (status === 503) return "see the health report: identity provider, database or configuration";
  return "the code and the detail in the answer say what is wrong";
}

const Claims = z.object({
  typ: z.string(),
  aud: z.string(),
  sub: z.string(),
  iss: z.string(),
  iat: z.number(),
  exp: z.number(),
});

// Only read, never verified: the smoke test has no secret.
function readClaims(token: string, name: string): z.infer<typeof Claims> {
  const parts = token.split(".", 2).map((part) => Buffer.from(part, "base64url").toString());
  try {
    const [header, payload] = parts.map((part): unknown => JSON.parse(part));
    return Claims.parse(Object.assign({}, header, payload));
  } catch {
    throw new CheckFailed(
      `${name} to be a JWT with typ, aud, sub, iss, iat and exp`,
      "another text",
      "which chat driver does the deployment use?",
    );
  }
}
