import { randomUUID } from "node:crypto";
import { CheckSkipped, SILENCE, TWO_PEOPLE, isSamePerson, need, needPair, type Check, type Run } from "../check.ts";
import { CheckFailed } from "../check-failed.ts";
import { openSocket, partySocketUrl, socketUrl } from "../sockets.ts";

const group = "doors";

/** The other ways in, and the way out. */
export const DOOR_CHECKS: readonly Check[] = [
  { group, name: "a token in the Authorization header opens a socket", run: (run) => openBy(run, "header") },
  { group, name: "a token in the first frame opens a socket", run: (run) => openBy(run, "frame") },
  { group, name: "a token in the address opens a socket", run: (run) => openBy(run, "query") },
  { group, name: "the room itself takes sockets and delivers", run: checkDirect },
  {
    group,
    name: "the first sees the second go",
    async run(run) {
      const { first, people } = needPair(run);
      if (isSamePerson(people)) throw new CheckSkipped(TWO_PEOPLE);
      const { userId } = people.second;
      const from = first.count;
      for (const socket of run.sockets) if (socket !== first) socket.close();
      const hint = "people who leave stay on the list; it takes 5 s, so --timeout must be longer";
      await first.hear("presence", run.deadline, hint, {
        fits: (frame) => frame.userId === userId && frame.status === "offline",
        from,
      });
    },
  },
];

async function openBy(run: Run, way: "header" | "frame" | "query"): Promise<void> {
  const { wsToken, userId } = needPair(run).people.second;
  const url = socketUrl(run);
  if (way === "query") url.searchParams.set("token", wsToken);
  const socket = openSocket(run, url, way === "header" ? { headers: { authorization: `Bearer ${wsToken}` } } : {});
  await socket.open(run.deadline);
  if (way === "frame") socket.send({ type: "auth", token: wsToken });
  const hint =
    way === "header" ? "does something in between drop the Authorization header?" : "see the table of close codes";
  const welcome = await socket.hear("welcome", run.deadline, hint);
  socket.close();
  if (welcome.userId !== userId)
    throw new CheckFailed(`a welcome to ${userId}`, `one to ${welcome.userId}`, "whose token was it?");
}

async function checkDirect(run: Run): Promise<void> {
  const partyUrl = need(run.options.partyUrl, "no --party-url");
  const { first, people } = needPair(run);
  const { room } = run.options;
  const socket = openSocket(run, partySocketUrl(partyUrl, room), { token: people.second.wsToken });
  const joined = await socket.hear("room_joined", run.deadline, "is this the address of the rooms?");
  if (joined.epoch !== run.epoch)
    throw new CheckFailed(`epoch ${run.epoch}`, joined.epoch, "these are the rooms of another deployment");
  const clientMessageId = randomUUID();
  socket.send({ type: "message", roomId: room, content: "Smoke test, straight to the room", clientMessageId });
  const ack = await socket.hear("ack", run.deadline, SILENCE, {
    fits: (frame) => frame.clientMessageId === clientMessageId,
  });
  const fits = ({ messageId }: { messageId: string }) => messageId === ack.messageId;
  await first.hear("message", run.deadline, "the gateway does not hear what is said at the room", { fits });
  socket.close();
}
