import type { RoomState } from "../../../client/types.ts";

const NAMED = 3;

/** Who has read the newest own message, in words, and which message that is. */
export function readersOf(
  { messages, readMarks, members }: RoomState,
  me: string,
): { key: string; words: string } | undefined {
  const mine = messages.findLast((message) => message.userId === me && message.state === "sent");
  if (mine?.seq === undefined) return undefined;
  const { seq } = mine;
  const readers = Object.entries(readMarks).filter(([userId, mark]) => userId !== me && mark >= seq);
  if (readers.length === 0) return undefined;
  const nameOf = new Map(members.map(({ userId, username }) => [userId, username]));
  const names = readers.flatMap(([userId]) => nameOf.get(userId) ?? []);
  const isFew = readers.length <= NAMED && names.length === readers.length;
  const who = isFew ? new Intl.ListFormat("en").format(names) : `${readers.length} people`;
  return { key: mine.key, words: `Read by ${who}` };
}
