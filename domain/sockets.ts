import { CLOSES, type CloseReason } from "../protocol/errors.ts";
import type { Subprotocol } from "../protocol/frames.ts";

/** The server's end of a WebSocket, as the Workers runtime gives it. */
export interface ServerSocket {
  accept(): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: "error", listener: () => void): void;
}

/** The answer that opens a WebSocket, and our end of it. */
export interface AcceptedSocket {
  socket: ServerSocket;
  response: Response;
}

// The runtime's own, which no type package that fits beside the DOM's types declares.
declare const WebSocketPair: new () => { 0: unknown; 1: ServerSocket };

/** Accepts the upgrade being answered; events of the socket come to listeners added before the next await. */
export function acceptSocket(subprotocol: Subprotocol | undefined): AcceptedSocket {
  const { 0: theirs, 1: socket } = new WebSocketPair();
  socket.accept();
  return { socket, response: upgradeResponse(theirs, subprotocol) };
}

/** The 101 that hands `webSocket` to the client, naming the subprotocol that was chosen. */
export function upgradeResponse(webSocket: unknown, subprotocol: Subprotocol | undefined): Response {
  const headers = new Headers();
  if (subprotocol !== undefined) headers.set("sec-websocket-protocol", subprotocol);
  // `webSocket` is the runtime's addition to the standard options.
  return new Response(null, { status: 101, headers, webSocket } as ResponseInit);
}

/** The WebSocket an upgrade request to somewhere else came back with, not yet accepted. */
export function socketOf(response: Response): ServerSocket | undefined {
  return (response as Response & { webSocket?: ServerSocket | null }).webSocket ?? undefined; // as above
}

/** Closes with one of our codes; the reason says the code in words and, when there is room, the detail. */
export function closeWith(socket: ServerSocket, reason: CloseReason, detail?: string): void {
  closeQuietly(socket, CLOSES[reason], cutReason(detail === undefined ? reason : `${reason}: ${detail}`));
}

/** Closes, or answers a close, whatever state the socket is in: codes that may not be sent become 1000. */
export function closeQuietly(socket: ServerSocket, code: number, reason = ""): void {
  try {
    socket.close(isSendable(code) ? code : 1000, cutReason(reason));
  } catch {
    // Closed already, by either side: that is what was wanted.
  }
}

/** Sends unless the other side has gone; then its close event is on the way and says so. */
export function sendQuietly(socket: ServerSocket, text: string): boolean {
  try {
    socket.send(text);
    return true;
  } catch {
    return false;
  }
}

function isSendable(code: number): boolean {
  return code >= 3000 ? code < 5000 : code >= 1000 && code < 1012 && ![1004, 1005, 1006].includes(code);
}

// A close frame has room for 123 bytes; our texts are ASCII, others' are cut until they fit.
function cutReason(reason: string): string {
  let cut = reason.slice(0, 123);
  while (new TextEncoder().encode(cut).length > 123) cut = cut.slice(0, -8);
  return cut;
}
