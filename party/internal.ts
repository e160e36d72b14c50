import { verifyChatToken } from "../domain/chat-tokens.ts";
import { readBearer } from "../domain/socket-auth.ts";
import { ChatError } from "../protocol/errors.ts";
import type { AppId } from "../protocol/ids.ts";
import { setUpEdge } from "./edge-setup.ts";
import type { Lobby } from "./lobby.ts";

/** Longer than any order of our Worker's. */
const BODY_MAX_CHARS = 4_096;

/** A request of our own Worker. */
export interface InternalRequest {
  app: AppId;
  authorization: string;
  /** The body; empty when there is none. */
  text: string;
}

/**
 * Checks that a request comes from our own Worker. Not even whether a token was wrong or missing is told: outside, these
 * addresses do not exist.
 *
 * @throws {ChatError} `not_found`; `config_invalid` when nothing is served here
 */
export async function readInternal(request: Request, { env }: Pick<Lobby, "env">): Promise<InternalRequest> {
  const setup = await setUpEdge(env);
  if (setup === undefined) throw new ChatError("config_invalid");
  const authorization = request.headers.get("authorization") ?? "";
  try {
    const { app } = await verifyChatToken(setup.tokenKeys, "internal", readBearer(authorization) ?? "", Date.now());
    const text = request.method === "POST" ? await request.text() : "";
    if (text.length > BODY_MAX_CHARS) throw new ChatError("body_too_large");
    return { app, authorization, text };
  } catch (cause) {
    throw new ChatError("not_found", { cause });
  }
}
