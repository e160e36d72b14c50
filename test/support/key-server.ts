import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, SignJWT, type JWTPayload } from "jose";

/** A key pair of an issuer: what it publishes, and what it signs with. */
export interface SigningKey {
  kid: string;
  publicJwk: JWK;
  privateKey: CryptoKey;
}

export async function createSigningKey(kid: string, modulusLength = 2048): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { modulusLength, extractable: true });
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" } };
}

export interface SignOptions {
  header?: Record<string, unknown>;
}

/** Signs whatever is given, right or wrong. */
export function signWith(key: SigningKey, claims: JWTPayload, { header = {} }: SignOptions = {}): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: key.kid, ...header })
    .sign(key.privateKey);
}

/** An issuer's key set on a real address, which can be told to misbehave. */
export class KeyServer {
  /** What the next requests get; by default the keys. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  keys: SigningKey[];
  /** How many requests arrived. */
  requests = 0;
  readonly #server: Server;

  private constructor(server: Server, keys: SigningKey[]) {
    this.#server = server;
    this.keys = keys;
    this.answer = this.serveKeys;
  }

  static async start(...keys: SigningKey[]): Promise<KeyServer> {
    const server = createServer((request, response) => {
      keyServer.requests += 1;
      keyServer.answer(request, response);
    });
    const keyServer = new KeyServer(server, keys);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return keyServer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  readonly serveKeys = (_request: IncomingMessage, response: ServerResponse): void => {
    this.#json(response, { keys: this.keys.map(({ publicJwk }) => publicJwk) });
  };

  /** Answers with this instead of the keys. */
  serve(body: unknown, status = 200): void {
    this.answer = (_request, response) => this.#json(response, body, status);
  }

  fail(status = 503): void {
    this.answer = (_request, response) => void response.writeHead(status).end();
  }

  /** Takes requests and never answers them. */
  hang(): void {
    this.answer = () => {};
  }

  recover(): void {
    this.answer = this.serveKeys;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #json(response: ServerResponse, body: unknown, status = 200): void {
    response
      .writeHead(status, { "content-type": "application/json" })
      .end(typeof body === "string" ? body : JSON.stringify(body));
  }
}
