const utf8 = new TextEncoder();

/** What stands in Redis' keys for an identity: none can pose as another, and none is told to who reads the keys. */
export async function hashIdentity(identity: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8.encode(identity)));
  return btoa(String.fromCharCode(...digest));
}
