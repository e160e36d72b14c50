import { createPublicKey } from "node:crypto";
import express from "express";
import jwt from "jsonwebtoken";

/** The same service as `bare-hono.ts`, on Express and jsonwebtoken under Node. */
const { PUBLIC_JWK = "{}", ISSUER = "", SECRET = "", PORT = "0" } = process.env;
const key = createPublicKey({ key: JSON.parse(PUBLIC_JWK), format: "jwk" });
const app = express();
app.disable("x-powered-by");
app.get("/", (_request, response) => void response.send("ok"));
app.post("/v1/token", (request, response) => {
  const claims = jwt.verify((request.headers.authorization ?? "").slice(7), key, {
    algorithms: ["RS256"],
    issuer: ISSUER,
  });
  const userId = String(claims.sub);
  const mint = (audience: string): string =>
    jwt.sign({ user_id: userId }, SECRET, { algorithm: "HS256", subject: userId, audience, expiresIn: "24h" });
  response.json({ token: mint("chat:rest"), wsToken: mint("chat:ws"), userId, expiresIn: 86_400 });
});
app.listen(Number(PORT), "127.0.0.1");
