import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { ClientFrame, type Message, splitLines } from "../../../protocol/frames.ts";
import { parseJson } from "../../../protocol/json.ts";

export interface SmallServer {
  apiUrl: string;
  wsUrl: string;
  stop(): Promise<void>;
}

const LIMITS = { messageMaxLength: 1_000, messageMaxBytes: 4_096, frameMaxBytes: 16_384 };

/** One room that speaks the protocol, on a real socket, for runtimes in which no more than a client is wanted. */
export async function startSmallServer(): Promise<SmallServer> {
  const log: Message[] = [];
  const http = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.setHeader("access-control-allow-origin", "*");
    response.end(JSON.stringify({ messages: log, next: null, prev: null }));
  });
  const sockets = new WebSocketServer({
    server: http,
    handleProtocols: (offered) => [...offered].find((name) => name.startsWith("chat.v1")) ?? false,
  });
  sockets.on("connection", (socket, { url = "" }) => serve(socket, new URL(url, "http://small"), log, sockets));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo; // it listens on TCP
  return {
    apiUrl: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}/ws`,
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function serve(socket: WebSocket, url: URL, log: Message[], { clients }: WebSocketServer): void {
  const say = (to: WebSocket, frame: object): void => to.send(JSON.stringify(frame));
  const join = (roomId: string): void =>
    say(socket, {
      type: "room_joined",
      roomId,
      memberCount: 1,
      members: [{ userId: "ann", username: "Ann", status: "online" }],
      epoch: "e1",
      seq: log.length,
      messages: log,
      recovered: true,
    });
  say(socket, {
    type: "welcome",
    connectionId: "0f1e2d3c-4b5a-4968-8776-655443322110",
    userId: "ann",
    serverTime: new Date().toISOString(),
    limits: { ...LIMITS, messagesPerWindow: 30, windowMs: 60_000 },
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  join(url.searchParams.get("roomId") ?? "lobby");
  socket.on("message", (data: Buffer) => {
    for (const line of splitLines(data.toString("utf8"))) {
      const frame = ClientFrame.parse(parseJson(line));
      if (frame.type === "ping") say(socket, { type: "pong" });
      if (frame.type === "join_room") join(frame.roomId);
      if (frame.type === "message") keep(frame.content, frame.clientMessageId);
    }
  });

  function keep(content: string, clientMessageId: string | undefined): void {
    const seq = log.length + 1;
    const roomId = url.searchParams.get("roomId") ?? "lobby";
    const at = { messageId: `m-${seq}`, roomId, timestamp: new Date().toISOString(), seq };
    const message = { ...at, userId: "ann", username: "Ann", content } as Message; // its ids are what the schema asks for
    log.push(message);
    say(socket, { type: "ack", ...at, clientMessageId, epoch: "e1", duplicate: false });
    for (const to of clients) say(to, { type: "message", ...message, ...(to === socket && { clientMessageId }) });
  }
}
