import type { RequestHandler } from "express";
import { jwtVerify } from "jose";
import type { ChatUser } from "../chat-api.ts";

/**
 * Who calls, by the sign-in that your app has already; put your own session check here. This one takes a JWT that your
 * server signed with `APP_SESSION_SECRET`. The user comes from what was verified, never from the request's body.
 */
export function requireUser(secret: string): RequestHandler {
  const key = new TextEncoder().encode(secret);
  return async (req, res, next) => {
    const [, token] = /^Bearer (\S+)$/.exec(req.get("authorization") ?? "") ?? [];
    const user = token === undefined ? undefined : await readUser(token, key);
    if (user === undefined) return void res.status(401).json({ error: "sign_in_required" });
    res.locals["user"] = user;
    next();
  };
}

async function readUser(token: string, key: Uint8Array): Promise<ChatUser | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"], requiredClaims: ["sub", "exp"] });
    const text = (name: string): string | undefined => {
      const value = payload[name];
      return typeof value === "string" ? value : undefined;
    };
    const custom = { department: text("department") };
    return { id: String(payload.sub), name: text("name"), image: text("picture"), custom };
  } catch {
    return undefined; // expired, forged, or not a JWT: all the same to the caller
  }
}
