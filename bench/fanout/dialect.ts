/** How a contestant's clients speak. Everything else about them is the same. */
export interface Dialect {
  headers(token: string): Record<string, string>;
  /** What a client says first, once the socket is open. */
  hello: string | undefined;
  /** The text of a WebSocket message that carries this one. */
  wrap(text: string, n: number): string;
  /** How many messages of the room a WebSocket message brings. */
  count(buffer: Buffer, start: number, end: number): number;
  /** Whether a message tells that the client is in the room. */
  isReady(text: string): boolean;
  /** Readers say what they received, every 32 messages. */
  receipts: boolean;
  /** As many may be said in a row: a room of ours refuses what history cannot keep up with, and others know no such limit. */
  messagesMax: number;
}

const NEW_LINE = 10;
/** `{"type":"message"` and nothing else a server says has an m there. */
const TYPE_AT = '{"type":"'.length;
const M = "m".charCodeAt(0);

const plain: Dialect = {
  headers: () => ({}),
  hello: undefined,
  wrap: (text) => text,
  count: () => 1,
  isReady: () => true,
  receipts: false,
  messagesMax: Infinity,
};

const socketIo: Dialect = {
  ...plain,
  hello: "40",
  wrap: (text) => `42["message",${JSON.stringify(text)}]`,
  count: (buffer, start) => (buffer[start] === 0x34 && buffer[start + 1] === 0x32 ? 1 : 0), // "42"
  isReady: (text) => text.startsWith("40"),
};

function parley(subprotocol: string): Dialect {
  return {
    headers: (token) => ({ authorization: `Bearer ${token}`, "sec-websocket-protocol": subprotocol }),
    hello: undefined,
    wrap: (content, n) =>
      JSON.stringify({ type: "message", content, clientMessageId: `bench-${String(n).padStart(8, "0")}` }),
    count: countMessages,
    isReady: (text) => text.includes('"type":"room_joined"'),
    receipts: true,
    messagesMax: 8_000, // of the 10,000 that need not be in Postgres yet
  };
}

const parleyLines = parley("chat.v1.lines");
/** Lines, of a room that has no door and acks nothing. */
const plainLines: Dialect = {
  ...parleyLines,
  headers: () => ({}),
  isReady: () => true,
  receipts: false,
  messagesMax: Infinity,
};

export const DIALECTS = { plain, plainLines, socketIo, parley: parley("chat.v1"), parleyLines };
export type DialectName = keyof typeof DIALECTS;

function countMessages(buffer: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end;) {
    if (buffer[at + TYPE_AT] === M) count++;
    const newLine = buffer.indexOf(NEW_LINE, at);
    if (newLine < 0 || newLine >= end) break;
    at = newLine + 1;
  }
  return count;
}
