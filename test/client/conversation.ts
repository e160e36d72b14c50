import type { ChatRoom } from "../../client/room.ts";
import { type FakeSocket, type FakeWorld, settle } from "./fake-world.ts";
import { ack, live, message } from "./scripted-server.ts";

/** What a room shows: contents with their states. */
export const states = (room: ChatRoom): string[] => room.messages.map(({ content, state }) => `${content}: ${state}`);
export const seqs = (room: ChatRoom): (number | undefined)[] => room.messages.map(({ seq }) => seq);
/** The contents that a client has sent, again and again included. */
export const sent = (socket: FakeSocket): unknown[] => socket.all("message").map(({ content }) => content);
export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => message(from + at));

/** A server that has an answer for the nth message. */
export function answer(socket: FakeSocket, nth: number, seq: number): void {
  const frame = socket.nth("message", nth);
  const { content, clientMessageId } = frame;
  socket.say(ack(frame, seq), live(seq, { userId: "alice", content, clientMessageId }));
}

export function refuse(socket: FakeSocket, nth: number, code: string, more: object = {}): void {
  const { roomId, clientMessageId } = socket.nth("message", nth);
  socket.say({ type: "error", code, message: code, roomId, clientMessageId, ...more });
}

/** Loses the connection, and is in the lobby again. */
export async function comeBack(world: FakeWorld, socket: FakeSocket, frame: object): Promise<FakeSocket> {
  socket.lose();
  await world.pass(2_000);
  const next = await world.socket(2);
  next.welcome();
  next.say(frame);
  await settle();
  return next;
}
