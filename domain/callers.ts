import type { AppId, UserId } from "../protocol/ids.ts";

/** A person, as the session token of the identity provider says. */
export interface SessionCaller {
  by: "session";
  app: AppId;
  userId: UserId;
  name: string | undefined;
  image: string | undefined;
  /** When the token was issued, in milliseconds since 1970. */
  issuedAt: number;
}

/** A person, as our own `token` says. */
export interface TokenCaller {
  by: "token";
  app: AppId;
  userId: UserId;
  name: string | undefined;
  /** When the token was issued, in milliseconds since 1970. */
  issuedAt: number;
}

/** An app's own server, with an API key: it acts for the app and is nobody. */
export interface KeyCaller {
  by: "key";
  app: AppId;
  keyId: string;
}

export type UserCaller = SessionCaller | TokenCaller;
export type Caller = UserCaller | KeyCaller;

/** Whose budget a caller uses. */
export function identityOf(caller: Caller): string {
  return caller.by === "key" ? `${caller.app}:key:${caller.keyId}` : userIdentity(caller.app, caller.userId);
}

/** What a user is counted by, and known by beside the store. */
export function userIdentity(app: AppId, userId: UserId): string {
  return `${app}:user:${userId}`;
}

/** What stands as `createdBy` for a caller. No user id has a colon, so an app is never taken for a person. */
export function creatorOf(caller: Caller): string {
  return caller.by === "key" ? `app:${caller.app}` : caller.userId;
}
