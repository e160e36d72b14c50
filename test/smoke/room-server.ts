import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { Bend, TokenBook } from "./deployment.ts";

interface Frame {
  type: string;
  [name: string]: unknown;
}
interface StoredMessage {
  messageId: string;
  roomId: string;
  userId: string;
  username: string;
  content: string;
  timestamp: string;
  seq: number;
  clientMessageId: string;
}
interface Guest {
  socket: WebSocket;
  userId: string;
  username: string;
  rooms: Set<string>;
}

const LIMITS = {
  messageMaxLength: 1000,
  messageMaxBytes: 4096,
  frameMaxBytes: 16_384,
  messagesPerWindow: 30,
  windowMs: 60_000,
};
const GRACE_MS = 100;

/** Rooms in memory that speak the documented frames, so that the smoke test has something to break. */
export class RoomServer {
  readonly messages = new Map<string, StoredMessage[]>();
  readonly #guests = new Set<Guest>();
  readonly #server = new WebSocketServer({ noServer: true, handleProtocols: () => "chat.v1" });
  readonly #tokens: TokenBook;
  readonly #bend: Bend;
  readonly #epoch = "e1";

  constructor(tokens: TokenBook, bend: Bend) {
    this.#tokens = tokens;
    this.#bend = bend;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refused =
      this.#bend.upgrade?.(request) ?? (request.headers.origin?.includes("evil") === true ? 403 : undefined);
    if (refused !== undefined) {
      socket.end(`HTTP/1.1 ${refused} Refused\r\nconnection: close\r\n\r\n`);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (opened) => this.#open(opened, request));
  }

  online(roomId: string): { userId: string; username: string; status: "online" }[] {
    const people = [...this.#guests].filter(({ rooms }) => rooms.has(roomId));
    const named = new Map(people.map(({ userId, username }) => [userId, username]));
    return [...named].map(([userId, username]) => ({ userId, username, status: "online" }));
  }

  close(): void {
    for (const { socket } of this.#guests) socket.terminate();
    this.#server.close();
  }

  #open(socket: WebSocket, request: IncomingMessage): void {
    const url = new URL(request.url ?? "/", "http://room");
    const room = url.pathname.startsWith("/parties/") ? url.pathname.split("/").at(-1) : url.searchParams.get("roomId");
    const offered = request.headers["sec-websocket-protocol"]?.match(/chat\.token\.(\S+)/)?.[1];
    const token = offered ?? request.headers.authorization?.slice(7) ?? url.searchParams.get("token");
    const enter = (given: string) => this.#enter(socket, given, room ?? "lobby", url.searchParams.get("since"));
    if (token !== null && token !== undefined) enter(token);
    else socket.once("message", (data) => enter((JSON.parse(String(data)) as { token: string }).token));
  }

  #enter(socket: WebSocket, token: string, roomId: string, since: string | null): void {
    const holder = this.#tokens.get(token);
    if (holder?.kind !== "ws") {
      const code = holder === undefined ? 4500 : 4502;
      socket.close(this.#bend.closeCode?.(code) ?? code);
      return;
    }
    const guest: Guest = { socket, userId: holder.userId, username: holder.name, rooms: new Set() };
    this.#guests.add(guest);
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    const serverTime = new Date().toISOString();
    this.#tell(guest, {
      type: "welcome",
      connectionId: randomUUID(),
      userId: guest.userId,
      serverTime,
      limits: LIMITS,
      expiresAt,
    });
    this.#join(guest, roomId, since === null ? undefined : Number(since.split(".")[1]));
    socket.on("message", (data) => this.#hear(guest, JSON.parse(String(data)) as Frame));
    socket.on("close", () => this.#leave(guest));
  }

  #join(guest: Guest, roomId: string, since?: number): void {
    const isNew = !this.online(roomId).some(({ userId }) => userId === guest.userId);
    guest.rooms.add(roomId);
    if (isNew) this.#everyone(roomId, presence(guest, roomId, "online"), guest);
    const all = this.messages.get(roomId) ?? [];
    const missed = since === undefined ? all.slice(-50) : all.filter(({ seq }) => seq > since);
    const messages = missed.map((message) => forReader(message, guest.userId));
    const members = this.online(roomId);
    const facts = { epoch: this.#epoch, seq: all.length, recovered: since !== undefined, memberCount: members.length };
    this.#tell(guest, { type: "room_joined", roomId, members, messages, ...facts });
  }

  #leave(guest: Guest): void {
    this.#guests.delete(guest);
    setTimeout(() => {
      for (const roomId of guest.rooms)
        if (!this.online(roomId).some(({ userId }) => userId === guest.userId))
          this.#everyone(roomId, presence(guest, roomId, "offline"));
    }, GRACE_MS);
  }

  #hear(guest: Guest, frame: Frame): void {
    const { userId, username } = guest;
    const roomId = String(frame["roomId"]);
    if (frame.type === "message") this.#store(guest, frame);
    if (frame.type === "ping") this.#tell(guest, { type: "pong" });
    if (frame.type === "join_room") this.#join(guest, roomId, (frame["since"] as { seq: number } | undefined)?.seq);
    if (frame.type === "leave_room") guest.rooms.delete(roomId);
    if (frame.type === "typing")
      this.#everyone(
        roomId,
        { type: "typing_indicator", roomId, userId, username, isTyping: frame["isTyping"] },
        guest,
      );
  }

  #store(guest: Guest, { roomId, content, clientMessageId }: Frame): void {
    const room = String(roomId);
    const named = { roomId: room, clientMessageId: String(clientMessageId) };
    if (String(content).length > LIMITS.messageMaxLength) {
      this.#tell(guest, { type: "error", code: "content_too_long", message: "The content is too long", ...named });
      return;
    }
    const messages = this.messages.get(room) ?? [];
    this.messages.set(room, messages);
    let stored = messages.find((message) => message.clientMessageId === clientMessageId);
    const duplicate = stored !== undefined;
    if (stored === undefined) {
      const { userId, username } = guest;
      const timestamp = new Date().toISOString();
      stored = {
        messageId: randomUUID(),
        userId,
        username,
        content: String(content),
        timestamp,
        seq: messages.length + 1,
        ...named,
      };
      messages.push(stored);
    }
    const { messageId, seq, timestamp } = stored;
    this.#tell(guest, { type: "ack", messageId, seq, timestamp, epoch: this.#epoch, duplicate, ...named });
    for (const other of this.#guests)
      if (other.rooms.has(room) && (!duplicate || this.#bend.repeats === true))
        this.#tell(other, { type: "message", ...forReader(stored, other.userId) });
  }

  #everyone(roomId: string, frame: Frame, except?: Guest): void {
    for (const guest of this.#guests) if (guest !== except && guest.rooms.has(roomId)) this.#tell(guest, frame);
  }

  #tell(guest: Guest, frame: Frame): void {
    const bent = this.#bend.frame === undefined ? frame : this.#bend.frame(frame, guest.userId);
    if (bent !== undefined) guest.socket.send(JSON.stringify(bent));
  }
}

// Only its author is told the id that the author's client gave.
function forReader(message: StoredMessage, userId: string): Omit<StoredMessage, "clientMessageId"> {
  const { clientMessageId, ...rest } = message;
  return message.userId === userId ? Object.assign(rest, { clientMessageId }) : rest;
}

function presence({ userId, username }: Guest, roomId: string, status: "online" | "offline"): Frame {
  return { type: "presence", roomId, userId, username, status, lastSeen: new Date().toISOString() };
}
