import type { ErrorCode } from "../../protocol/errors.ts";

export function bearer(token: string, headers: Record<string, string> = {}): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}`, ...headers } };
}

export function jsonBody(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  };
}

/** The status and code of an answer that has to be a problem. */
export async function problemOf(response: Response): Promise<{ status: number; code: ErrorCode }> {
  const { code } = (await response.json()) as { code: ErrorCode };
  return { status: response.status, code };
}
