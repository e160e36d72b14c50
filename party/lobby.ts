import { ChatError } from "../protocol/errors.ts";

/** What static hooks of a party get of PartyKit. */
export interface Lobby {
  env: Record<string, unknown>;
  parties: Record<string, { get(key: string): ObjectStub }>;
}
/** Where an object can be asked. */
export interface ObjectStub {
  fetch(path: string, init: RequestInit): Promise<unknown>;
}

/** @throws {ChatError} `internal` when the deployment lacks the party. */
export function objectOf({ parties }: Lobby, party: "main" | "people", key: string): ObjectStub {
  const stub = parties[party]?.get(key);
  if (stub === undefined) throw new ChatError("internal");
  return stub;
}

/** A `POST` of JSON, as our objects take it from each other's doors. */
export function jsonPost(body: unknown, authorization?: string): RequestInit {
  const headers = new Headers({ "content-type": "application/json" });
  if (authorization !== undefined) headers.set("authorization", authorization);
  return { method: "POST", headers, body: JSON.stringify(body) };
}
