/** A message as a client sends it to a room. */
export const message = (roomId: string, over: object = {}) => ({
  type: "message",
  roomId,
  content: "hello",
  clientMessageId: "m-0000001",
  ...over,
});

/** The nth message of a client, to the lobby. */
export const numbered = (n: number) => ({
  type: "message",
  roomId: "lobby",
  content: `c${n}`,
  clientMessageId: `m-000000${n}`,
});
