// app/api/auth/chat-token/route.ts
import { auth, currentUser } from "@clerk/nextjs/server";
import { ChatApiError, createChatApi } from "../chat-api.ts";

/** Chat tokens for whoever is signed in with Clerk, under the name and with the picture that Clerk has. */
export async function POST(): Promise<Response> {
  const { userId } = await auth();
  if (userId === null) return Response.json({ error: "sign_in_required" }, { status: 401 });
  const user = await currentUser();
  try {
    const chat = createChatApi(setting("CHATSDK_API_URL"), setting("CHATSDK_API_KEY"));
    const tokens = await chat.mintTokens({ id: userId, name: user?.fullName ?? undefined, image: user?.imageUrl });
    return Response.json(tokens, { headers: { "Cache-Control": "no-store" } });
  } catch (error) {
    if (!(error instanceof ChatApiError)) throw error;
    const headers = error.retryAfter === undefined ? {} : { "Retry-After": error.retryAfter };
    return Response.json({ error: error.code, message: error.message }, { status: error.status, headers });
  }
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`Set ${name}`);
  return value;
}
