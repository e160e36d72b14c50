import * as z from "zod/mini";
import { ChatError } from "../protocol/errors.ts";
import { Problem } from "../protocol/http.ts";
import type { AppId, UserId } from "../protocol/ids.ts";
import { jsonPost, type Lobby, objectOf } from "./lobby.ts";

const Refusal = z.pick(Problem, { code: true });

/**
 * Asks the object that stands for a person.
 *
 * @throws {ChatError} the code it refuses with; `rooms_unavailable` when it cannot be asked
 */
export async function askPerson<Answer>(
  schema: z.ZodMiniType<Answer>,
  lobby: Lobby,
  app: AppId,
  userId: UserId,
  verb: "visit" | "whereabouts" | "order",
  body: unknown,
): Promise<Answer> {
  try {
    const person = objectOf(lobby, "people", await nameOf(app, userId));
    const answer = (await person.fetch(`/${verb}`, jsonPost(body))) as Response; // an object's fetch answers with one
    const said: unknown = await answer.json();
    if (answer.status === 200) return z.parse(schema, said);
    throw new ChatError(z.parse(Refusal, said).code);
  } catch (cause) {
    throw cause instanceof ChatError ? cause : new ChatError("rooms_unavailable", { cause });
  }
}

// PartyKit writes names into addresses, where a user id could be spelt in several ways; a hash has one spelling.
async function nameOf(app: AppId, userId: UserId): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${app}:${userId}`));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
