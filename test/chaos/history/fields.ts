import * as z from "zod";

/** What several kinds of lines have. */

export const At = z.number();
/** A room's id, a client's name, a user's id. */
export const Name = z.string();
export const Seq = z.int().gte(0);
/** The number of a `message` entry: a message that is seen a thousand times is written down once. */
export const N = z.int().gte(0);

export const OnSocket = { at: At, client: Name, socket: z.int() };
export const InRoom = { at: At, client: Name, room: Name };
export const OnSocketOfRoom = { ...OnSocket, room: Name };
