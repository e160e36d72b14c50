import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningStack, type StackOptions, startStack } from "../dev/stack.ts";
import { createTokenKeys, signChatToken } from "../domain/chat-tokens.ts";
import { AppId, UserId } from "../protocol/ids.ts";
import { freePort } from "../dev/free-port.ts";

const TOKEN_LIFE_MS = 3_600_000;

export interface BenchStack extends RunningStack {
  /** A room's own address, as clients that need no gateway use it. */
  roomUrl(room: string): string;
  /** A `wsToken` for each of so many users. */
  tokens(count: number): Promise<string[]>;
}

/** The whole local stack on free ports, keeping nothing; the settings of this shell do not reach it. */
export async function startBenchStack(
  environment: Record<string, string>,
  options: Pick<StackOptions, "through" | "entries"> = {},
): Promise<BenchStack> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const [port, partyPort] = [await freePort(), await freePort()];
  const stack = await startStack({ port, partyPort, dataDir, memory: true, environment, ...options });
  const keys = await createTokenKeys(stack.apiUrl, stack.chatJwtSecret);
  const app = AppId.parse("demo");
  return {
    ...stack,
    roomUrl: (room) => `${stack.partyUrl.replace("http", "ws")}/parties/main/${room}`,
    tokens: (count) =>
      Promise.all(
        Array.from({ length: count }, (_, at) => {
          const issuedAt = Date.now();
          const userId = UserId.parse(`bench-${at}`);
          return signChatToken(keys, "ws", {
            userId,
            app,
            name: undefined,
            issuedAt,
            expiresAt: issuedAt + TOKEN_LIFE_MS,
          });
        }),
      ),
    stop: async () => {
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
