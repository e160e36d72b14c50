import type { Custom } from "../../protocol/http.ts";
import type { AppId, UserId } from "../../protocol/ids.ts";

export interface UserRecord {
  id: UserId;
  name: string;
  image: string | null;
  custom: Custom;
}

/** Fields a caller wants changed; those left out stay as they are. */
export interface UserChange {
  id: UserId;
  name?: string | undefined;
  image?: string | undefined;
  custom?: Custom | undefined;
}

export interface UserStore {
  /** Creates the user or changes the given fields of the one there is; never makes a second. */
  upsertUser(app: AppId, user: UserChange): Promise<UserRecord>;
}
