import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionRequest } from "../../dev/issuer.ts";
import type { StackFile } from "../../dev/stack-file.ts";
import type { PartControl } from "../../dev/running-part.ts";
import { type StackOptions, startStack as startLocalStack } from "../../dev/stack.ts";
import { createTokenKeys, signChatToken, type TokenKind } from "../../domain/chat-tokens.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import { freePort } from "../../dev/free-port.ts";

export interface Stack extends StackFile {
  dataDir: string;
  /** The two programs: `await stack.rooms.kill()` is a `kill -9`, `await stack.rooms.start()` brings it back. */
  worker: PartControl;
  rooms: PartControl;
  /** Settles with what happened when the Worker or the rooms end that nobody stopped. */
  broken: Promise<Error>;
  /** Where a socket straight to a room is opened. */
  roomUrl(room: string): string;
  /** A session token, as the identity provider would give it. */
  session(user: string, options?: Omit<SessionRequest, "user">): Promise<string>;
  /** A chat token of the stack's own, without the exchange and its rate limit. */
  token(user: string, kind?: TokenKind): Promise<string>;
  /** Signs with a new key from now on. The old one stays published until the next rotation, unless `drop`. */
  rotateIssuerKeys(options?: { drop?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the whole stack on free ports, keeping nothing. The settings of this shell do not reach it.
 *
 * @param overrides Settings that win over the stack's own.
 * @param options How it differs from the stack that developers start.
 */
export async function startStack(
  overrides: Record<string, string> = {},
  options: Partial<Pick<StackOptions, "port" | "entries" | "through" | "onLine">> = {},
): Promise<Stack> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-stack-"));
  const [port, partyPort] = [await freePort(), await freePort()];
  const stack = await startLocalStack({ port, partyPort, dataDir, memory: true, environment: overrides, ...options });
  const keys = await createTokenKeys(stack.apiUrl, stack.chatJwtSecret);
  const post = (path: string, body?: unknown) =>
    fetch(`${stack.issuer}${path}`, { method: "POST", body: JSON.stringify(body) });
  return {
    ...stack,
    dataDir,
    roomUrl: (room) => `${stack.partyUrl.replace("http", "ws")}/parties/main/${room}`,
    session: async (user, options = {}) => {
      const reply = await post("/session", { user, ...options });
      if (!reply.ok) throw new Error(`No session: ${await reply.text()}`);
      return ((await reply.json()) as { token: string }).token; // the issuer's documented answer
    },
    token: (user, kind = "ws") =>
      signChatToken(keys, kind, {
        userId: UserId.parse(user),
        app: AppId.parse("demo"),
        name: undefined,
        issuedAt: Date.now(),
        expiresAt: Date.now() + 3_600_000,
      }),
    rotateIssuerKeys: async ({ drop = false } = {}) => void (await post(drop ? "/rotate?drop=1" : "/rotate")),
    stop: async () => {
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
