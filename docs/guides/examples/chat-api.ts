/** What your server knows of one of its users and wants shown in chat. */
export interface ChatUser {
  /** Your own id, as text: `[A-Za-z0-9_.@|-]`, at most 128 characters. */
  id: string;
  name?: string | undefined;
  /** An https address. */
  image?: string | undefined;
  /** Kept with the user, at most 2 KiB. Nothing secret: your app may show it to others. */
  custom?: Record<string, unknown> | undefined;
}

export interface NewChannel {
  channelId: string;
  name?: string | undefined;
  /** `private`: only members may join. */
  type?: "messaging" | "private";
  members: string[];
}

export interface ChatTokens {
  token: string;
  wsToken: string;
  expiresIn: number;
  wsUrl: string;
  userId: string;
}

/** What a request came to when it brought nothing: the status and code to answer your own caller with. */
export class ChatApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: string | undefined;

  constructor(status: number, code: string, message: string, retryAfter?: string) {
    super(message);
    this.name = "ChatApiError";
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const TIME_LIMIT_MS = 5_000;
/** What the caller can do something about. All else is between your server and the chat deployment. */
const PASSED_ON: ReadonlySet<number> = new Set([400, 403, 409, 429]);

/**
 * Asks the chat deployment, with the API key. For servers only.
 *
 * @param apiUrl Its address, such as `https://chat.example.com`
 */
export function createChatApi(apiUrl: string, apiKey: string) {
  const post = (path: string, body: unknown) => ask(new URL(path, apiUrl), apiKey, body);
  return {
    /** @throws {ChatApiError} */
    mintTokens: async ({ id, name, image, custom }: ChatUser): Promise<ChatTokens> =>
      (await post("/v1/tokens", { userId: id, name, image, custom })) as ChatTokens, // its documented answer
    /** @throws {ChatApiError} `channel_exists` when there is one of that id that is not the same */
    createChannel: (channel: NewChannel) => post("/v1/channels", channel),
  };
}

async function ask(url: URL, apiKey: string, body: unknown): Promise<unknown> {
  const headers = { "X-API-Key": apiKey, "Content-Type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body), redirect: "error" } as const;
  let response: Response;
  let reply: unknown;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIME_LIMIT_MS) });
    reply = await response.json();
  } catch (error) {
    const cause = error instanceof Error ? error.name : "unknown"; // its text may hold an address
    console.error(`chat: ${url.pathname} was not answered (${cause})`);
    throw new ChatApiError(503, "chat_unavailable", "Chat cannot be reached at the moment", "5");
  }
  if (response.ok) return reply;
  throw refusal(url.pathname, response, reply);
}

function refusal(path: string, { status, headers }: Response, reply: unknown): ChatApiError {
  const { code, detail, requestId } = readProblem(reply);
  const retryAfter = headers.get("retry-after") ?? undefined;
  if (PASSED_ON.has(status)) return new ChatApiError(status, code, detail, retryAfter);
  console.error(`chat: ${path} answered ${status} ${code}, request ${requestId}`);
  if (status >= 500)
    return new ChatApiError(503, "chat_unavailable", "Chat cannot be reached at the moment", retryAfter ?? "5");
  // A refused key, for one. As a 401 it would send your user to sign in again, for nothing.
  return new ChatApiError(502, "chat_refused", "Chat refused this server");
}

function readProblem(reply: unknown): { code: string; detail: string; requestId: string } {
  const problem = typeof reply === "object" && reply !== null ? reply : {};
  const text = (name: string): string => {
    const value: unknown = Object.getOwnPropertyDescriptor(problem, name)?.value;
    return typeof value === "string" ? value : "unknown";
  };
  return { code: text("code"), detail: text("detail"), requestId: text("requestId") };
}
