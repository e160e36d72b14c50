import express, { type ErrorRequestHandler, type Response } from "express";
import { ChatApiError, type ChatUser, createChatApi } from "../chat-api.ts";
import { requireUser } from "./sign-in.ts";

const chat = createChatApi(setting("CHATSDK_API_URL"), setting("CHATSDK_API_KEY"));

const app = express();
app.disable("x-powered-by");
app.use("/api", requireUser(setting("APP_SESSION_SECRET")), express.json({ limit: "4kb" }));

/** Chat tokens for whoever is signed in. */
app.post("/api/auth/chat-token", async (_req, res) => {
  const tokens = await chat.mintTokens(userOf(res));
  res.set("Cache-Control", "no-store").json(tokens);
});

/** A private channel with its caller as the first member. The server creates it, so clients need no right to. */
app.post("/api/chat/channels", async (req, res) => {
  const { channelId, name } = readChannel(req.body);
  const channel = await chat.createChannel({ channelId, name, type: "private", members: [userOf(res).id] });
  res.status(201).json(channel);
});

// Express knows an error handler by its four parameters.
const answerError: ErrorRequestHandler = (error: unknown, _req, res, _next) => {
  if (!(error instanceof ChatApiError)) {
    console.error(error instanceof Error ? error.name : "error");
    return void res.status(500).json({ error: "internal" });
  }
  if (error.retryAfter !== undefined) res.set("Retry-After", error.retryAfter);
  res.status(error.status).json({ error: error.code, message: error.message });
};
app.use(answerError);

const server = app.listen(Number(process.env["PORT"] ?? 3_000), "127.0.0.1", () => console.log("ready"));
process.once("SIGTERM", () => server.close());

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`Set ${name}`);
  return value;
}

function userOf(res: Response): ChatUser {
  return res.locals["user"] as ChatUser; // put there by requireUser
}

function readChannel(body: unknown): { channelId: string; name: string | undefined } {
  if (typeof body === "object" && body !== null && "channelId" in body && typeof body.channelId === "string")
    return { channelId: body.channelId, name: "name" in body && typeof body.name === "string" ? body.name : undefined };
  throw new ChatApiError(400, "bad_request", 'Cannot read "channelId": must be text');
}
