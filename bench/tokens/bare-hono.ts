import { Hono } from "hono";
import { SignJWT, importJWK, jwtVerify, type CryptoKey, type JWK } from "jose";

/** The least a token service can do on Hono and jose: one RS256 verification, two HS256 signatures, one JSON answer. */
interface Env {
  Bindings: { PUBLIC_JWK: string; ISSUER: string; SECRET: string };
}
let keys: Promise<{ verify: CryptoKey; sign: CryptoKey }> | undefined;

const app = new Hono<Env>()
  .get("/", (c) => c.text("ok"))
  .post("/v1/token", async (c) => {
    keys ??= load(c.env);
    const { verify, sign } = await keys;
    const bearer = c.req.header("authorization") ?? "";
    const { payload } = await jwtVerify(bearer.slice(7), verify, { algorithms: ["RS256"], issuer: c.env.ISSUER });
    const mint = (audience: string): Promise<string> =>
      new SignJWT({ user_id: payload.sub })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(payload.sub ?? "")
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime("24h")
        .sign(sign);
    const [token, wsToken] = await Promise.all([mint("chat:rest"), mint("chat:ws")]);
    return c.json({ token, wsToken, userId: payload.sub, expiresIn: 86_400 });
  });
export default app;

async function load(env: Env["Bindings"]): Promise<{ verify: CryptoKey; sign: CryptoKey }> {
  const jwk: JWK = JSON.parse(env.PUBLIC_JWK);
  const key = await importJWK(jwk, "RS256");
  if (key instanceof Uint8Array) throw new TypeError("Expected a public key");
  const sign = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(env.SECRET),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return { verify: key, sign };
}
