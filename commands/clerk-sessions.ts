import * as z from "zod";

const API_VERSION = "2026-05-12";
const TIMEOUT_MS = 10_000;
const MIN_TTL_SECONDS = 30;

export interface ClerkAccess {
  /** `https://api.clerk.com` but for tests. */
  apiUrl: string;
  secretKey: string;
}

export interface SessionWish {
  user: string;
  name: string;
  ttlSeconds: number;
}

const User = z.object({ id: z.string() });
const Session = z.object({ id: z.string() });
const Token = z.object({ jwt: z.string() });
const Errors = z.object({ errors: z.array(z.object({ message: z.string(), long_message: z.optional(z.string()) })) });

/**
 * Makes a session token through Clerk's Backend API: finds or creates the user, opens a session, signs a token for it.
 *
 * @throws {Error} with Clerk's own explanation, and never with the key.
 */
export async function createClerkSession(access: ClerkAccess, wish: SessionWish): Promise<string> {
  if (wish.ttlSeconds < MIN_TTL_SECONDS) throw new Error(`Clerk's tokens live at least ${MIN_TTL_SECONDS} seconds`);
  const user = (await findUser(access, wish.user)) ?? (await createUser(access, wish));
  const session = await call(access, Session, "POST", "/v1/sessions", { user_id: user.id });
  const lifetime = { expires_in_seconds: wish.ttlSeconds };
  const { jwt } = await call(access, Token, "POST", `/v1/sessions/${session.id}/tokens`, lifetime);
  return jwt;
}

async function findUser(access: ClerkAccess, user: string): Promise<z.infer<typeof User> | undefined> {
  if (user.startsWith("user_")) return await call(access, User, "GET", `/v1/users/${user}`);
  // A leading "-" would exclude the id instead of looking for it.
  const query = new URLSearchParams({ external_id: `+${user}`, limit: "1" });
  const [found] = await call(access, z.array(User), "GET", `/v1/users?${query}`);
  return found;
}

async function createUser(access: ClerkAccess, { user, name }: SessionWish): Promise<z.infer<typeof User>> {
  return await call(access, User, "POST", "/v1/users", {
    external_id: user,
    first_name: name,
    // Clerk sends nothing to addresses with this mark.
    email_address: [`${user.replaceAll(/[^A-Za-z0-9]+/g, "-")}+clerk_test@example.com`],
    skip_password_requirement: true,
  });
}

async function call<Shape extends z.ZodType>(
  { apiUrl, secretKey }: ClerkAccess,
  shape: Shape,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<z.infer<Shape>> {
  const headers = {
    authorization: `Bearer ${secretKey}`,
    "clerk-api-version": API_VERSION,
    ...(body !== undefined && { "content-type": "application/json" }),
  };
  const reply = await fetch(new URL(path, apiUrl), {
    method,
    headers,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new Error(`Clerk at ${apiUrl} does not answer`, { cause });
  });
  const answer: unknown = await reply.json().catch(() => undefined);
  if (!reply.ok) throw new Error(`Clerk refused ${method} ${path} (${reply.status}): ${explain(answer)}`);
  const parsed = shape.safeParse(answer);
  if (!parsed.success) throw new Error(`Clerk's answer to ${method} ${path} is not the documented one`);
  return parsed.data;
}

function explain(answer: unknown): string {
  const parsed = Errors.safeParse(answer);
  if (!parsed.success) return "no reason given";
  return parsed.data.errors.map(({ message, long_message }) => long_message ?? message).join("; ");
}
