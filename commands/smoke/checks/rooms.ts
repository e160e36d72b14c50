import { randomUUID } from "node:crypto";
import { Channel, HistoryPage, RoomPresence } from "../../../protocol/http.ts";
import { CheckFailed, CheckSkipped, NO_SOCKET, NO_TOKEN, isSamePerson, need, type Check, type Run } from "../check.ts";
import { describe, expectProblem, expectShape, expectStatus } from "../http-client.ts";
import { openSocket, partySocketUrl, socketUrl } from "../sockets.ts";
import type { ClientSocket } from "../client-socket.ts";

const group = "rooms";
const SILENCE = "did the room store the message, and is it awake? Read the rooms' log";
const TWO_PEOPLE = "needs two users: give --api-key";

/** Two people meet in a room, talk, and find it written down. */
export const ROOM_CHECKS: readonly Check[] = [
  {
    group,
    name: "the channel is created, or is there",
    async run(run) {
      run.people ??= { first: need(run.exchanged, NO_TOKEN), second: need(run.exchanged, NO_TOKEN) };
      const body = { channelId: run.options.room, name: "Smoke test" };
      const answer = await run.http.ask("/v1/channels", { method: "POST", token: run.people.first.token, body });
      if (answer.status === 409) {
        expectProblem(answer, 409, ["channel_exists"], "only a channel of another creator may answer 409");
        return "made by somebody else before";
      }
      expectStatus(answer, [200, 201], "the code in the answer says why");
      const channel = expectShape(answer, Channel, "the deployment is of another version");
      if (channel.id !== run.options.room) throw new CheckFailed(`channel ${run.options.room}`, channel.id, "the id was changed");
      return answer.status === 201 ? "created" : "was there";
    },
  },
  { group, name: "a socket opens and joins the room", run: joinFirst },
  { group, name: "a second client joins", run: joinSecond },
  {
    group,
    name: "the first sees the second come",
    async run(run) {
      const { first, second, people } = needPair(run);
      if (isSamePerson(people)) throw new CheckSkipped(TWO_PEOPLE);
      const { userId } = people.second;
      // Someone who was here less than 5 s ago does not come again: then the list has them already.
      const isListed = first.heard("room_joined").some(({ members }) => members.some((member) => member.userId === userId && member.status === "online"));
      if (!isListed)
        await first.hear("presence", run.deadline, "presence of others does not arrive", {
          fits: (frame) => frame.userId === userId && frame.status === "online",
        });
      const joined = await second.hear("room_joined", run.deadline, SILENCE);
      const ids = joined.members.map((member) => member.userId);
      const missing = [people.first.userId, userId].find((id) => !ids.some((other) => other === id));
      if (missing !== undefined) throw new CheckFailed(`${missing} among the members`, ids.join(", ") || "nobody", "the room's list is wrong");
    },
  },
  {
    group,
    name: "presence over HTTP names who is there",
    async run(run) {
      const { people } = needPair(run);
      const answer = await run.http.ask(`/v1/presence?roomId=${run.options.room}`, { token: people.first.token });
      expectStatus(answer, 200, "can the Worker reach the rooms (PARTY_URL)?");
      const { members } = expectShape(answer, RoomPresence, "the deployment is of another version");
      const online = members.filter(({ status }) => status === "online").map(({ userId }) => userId);
      for (const { userId } of [people.first, people.second])
        if (!online.includes(userId)) throw new CheckFailed(`${userId} online`, online.join(", ") || "nobody", "is it the same room, of the same app?");
    },
  },
  {
    group,
    name: "the first sees the second type",
    async run(run) {
      const { first, second, people } = needPair(run);
      if (isSamePerson(people)) throw new CheckSkipped(TWO_PEOPLE);
      const { userId } = people.second;
      for (const isTyping of [true, false]) {
        const from = first.count;
        second.send({ type: "typing", roomId: run.options.room, isTyping });
        const fits = (frame: { userId: string; isTyping: boolean }) => frame.userId === userId && frame.isTyping === isTyping;
        await first.hear("typing_indicator", run.deadline, "typing does not arrive", { fits, from });
      }
    },
  },
  { group, name: "a message is acked", run: sendMessage },
  {
    group,
    name: "the second client receives it, once and as it was sent",
    async run(run) {
      const { second, people } = needPair(run);
      const sent = need(run.sent, "no message was acked");
      const fits = ({ messageId }: { messageId: string }) => messageId === sent.messageId;
      const message = await second.hear("message", run.deadline, "the message was acked and not delivered", { fits });
      const wanted = { content: sent.content, seq: sent.seq, userId: people.first.userId, roomId: run.options.room };
      for (const [name, value] of Object.entries(wanted))
        if (message[name as keyof typeof wanted] !== value)
          throw new CheckFailed(`${name} ${value}`, String(message[name as keyof typeof wanted]), "the message was changed on its way");
    },
  },
  {
    group,
    name: "the same message again is acked and not repeated",
    async run(run) {
      const { first, second } = needPair(run);
      const sent = need(run.sent, "no message was acked");
      const from = first.count;
      const { content, clientMessageId } = sent;
      first.send({ type: "message", roomId: run.options.room, content, clientMessageId });
      const ack = await first.hear("ack", run.deadline, SILENCE, { fits: (frame) => frame.clientMessageId === clientMessageId, from });
      if (!ack.duplicate || ack.seq !== sent.seq || ack.messageId !== sent.messageId)
        throw new CheckFailed(`duplicate of ${sent.messageId} at ${sent.seq}`, `${ack.messageId} at ${ack.seq}`, "a resent message must keep its place");
      await roundTrip(second, run);
      const copies = second.heard("message").filter(({ messageId }) => messageId === sent.messageId).length;
      if (copies !== 1) throw new CheckFailed("one delivery", `${copies}`, "a resent message must not be delivered again");
    },
  },
  {
    group,
    name: "a message that is too long is refused, the socket stays",
    async run(run) {
      const { first } = needPair(run);
      const clientMessageId = randomUUID();
      const { limits } = await first.hear("welcome", run.deadline, SILENCE);
      first.send({ type: "message", roomId: run.options.room, content: "x".repeat(limits.messageMaxLength + 1), clientMessageId });
      const error = await first.hear("error", run.deadline, "a refusal must be told", { fits: (frame) => frame.clientMessageId === clientMessageId });
      if (error.code !== "content_too_long") throw new CheckFailed("error content_too_long", error.code, "see the table of errors");
      await roundTrip(first, run);
    },
  },
  { group, name: "a client that comes back gets what it missed", run: resume },
  { group, name: "history holds the message, once", run: checkHistory },
  {
    group,
    name: "history needs a token",
    async run(run) {
      const { people } = needPair(run);
      const path = historyPath(run, "limit=1");
      expectProblem(await run.http.ask(path), 401, ["token_missing"], "stop: strangers can read");
      expectProblem(await run.http.ask(path, { token: people.first.wsToken }), 401, ["wrong_token_kind"], "stop: the wrong token can read");
    },
  },
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
      await first.hear("presence", run.deadline, hint, { fits: (frame) => frame.userId === userId && frame.status === "offline", from });
    },
  },
];

function needPair({ first, second, people }: Run) {
  return { people: need(people, NO_TOKEN), first: need(first, NO_SOCKET), second: need(second, NO_SOCKET) };
}

async function joinFirst(run: Run): Promise<string> {
  const { first: me } = need(run.people, NO_TOKEN);
  const socket = openSocket(run, socketUrl(run), { token: me.wsToken });
  const welcome = await socket.hear("welcome", run.deadline, "a close code says why: see the table of close codes");
  if (welcome.userId !== me.userId) throw new CheckFailed(`a welcome to ${me.userId}`, `one to ${welcome.userId}`, "whose token was it?");
  if (socket.protocol !== "chat.v1") throw new CheckFailed("subprotocol chat.v1", `"${socket.protocol}"`, "something in between drops Sec-WebSocket-Protocol");
  const joined = await socket.hear("room_joined", run.deadline, "can the gateway reach the rooms (PARTY_URL)?", {
    fits: ({ roomId }) => roomId === run.options.room,
  });
  run.epoch = joined.epoch;
  run.first = socket;
  return `at ${joined.seq}, ${joined.memberCount} here`;
}

async function joinSecond(run: Run): Promise<void> {
  need(run.first, NO_SOCKET);
  const { second: other } = need(run.people, NO_TOKEN);
  const socket = openSocket(run, socketUrl(run), { token: other.wsToken });
  await socket.hear("room_joined", run.deadline, "the first client could join and the second could not");
  run.second = socket;
}

async function sendMessage(run: Run): Promise<string> {
  const { first } = needPair(run);
  const clientMessageId = randomUUID();
  const content = `Smoke test at ${new Date().toISOString()} · ünï ‹&›`;
  const startedAt = performance.now();
  first.send({ type: "message", roomId: run.options.room, content, clientMessageId });
  const fits = (frame: { clientMessageId?: string | undefined }) => frame.clientMessageId === clientMessageId;
  const ack = await first.hear("ack", run.deadline, SILENCE, { fits });
  if (ack.duplicate || ack.epoch !== run.epoch)
    throw new CheckFailed(`a first ack in epoch ${run.epoch}`, JSON.stringify(ack), "did the room restart empty?");
  run.sent = { messageId: ack.messageId, seq: ack.seq, content, clientMessageId };
  return `seq ${ack.seq}, acked in ${Math.round(performance.now() - startedAt)} ms`;
}

async function resume(run: Run): Promise<void> {
  const { second: me } = needPair(run).people;
  const sent = need(run.sent, "no message was acked");
  const url = socketUrl(run);
  url.searchParams.set("since", `${run.epoch}.${sent.seq - 1}`);
  const socket = openSocket(run, url, { token: me.wsToken });
  const joined = await socket.hear("room_joined", run.deadline, "resuming fails");
  socket.close();
  const first = joined.messages[0];
  if (joined.recovered && first?.messageId === sent.messageId) return;
  const came = `recovered ${joined.recovered}, first message at ${first?.seq ?? "none"}`;
  throw new CheckFailed(`recovered, and the message at ${sent.seq} first`, came, "the room's log does not hold what it acked");
}

async function checkHistory(run: Run): Promise<void> {
  const { people } = needPair(run);
  const sent = need(run.sent, "no message was acked");
  const hint = "is history behind? Read the health report and the rooms' log";
  const answer = await run.http.ask(historyPath(run, "limit=20"), { token: people.first.token });
  expectStatus(answer, 200, hint);
  const { messages } = expectShape(answer, HistoryPage, "the deployment is of another version");
  const found = messages.filter(({ messageId }) => messageId === sent.messageId);
  if (found.length !== 1 || found[0]?.seq !== sent.seq || found[0].content !== sent.content)
    throw new CheckFailed(`message ${sent.messageId} at ${sent.seq}`, `${found.length} of it in ${describe(answer)}`, hint);
  const older = await run.http.ask(historyPath(run, `limit=5&before=${sent.seq}`), { token: people.first.token });
  expectStatus(older, 200, hint);
  const page = expectShape(older, HistoryPage, "the deployment is of another version");
  if (page.messages.some(({ seq }) => seq >= sent.seq)) throw new CheckFailed(`messages before ${sent.seq}`, describe(older), hint);
}

async function openBy(run: Run, way: "header" | "frame" | "query"): Promise<void> {
  const { wsToken, userId } = needPair(run).people.second;
  const url = socketUrl(run);
  if (way === "query") url.searchParams.set("token", wsToken);
  const socket = openSocket(run, url, way === "header" ? { headers: { authorization: `Bearer ${wsToken}` } } : {});
  await socket.open(run.deadline);
  if (way === "frame") socket.send({ type: "auth", token: wsToken });
  const hint = way === "header" ? "does something in between drop the Authorization header?" : "see the table of close codes";
  const welcome = await socket.hear("welcome", run.deadline, hint);
  socket.close();
  if (welcome.userId !== userId) throw new CheckFailed(`a welcome to ${userId}`, `one to ${welcome.userId}`, "whose token was it?");
}

async function checkDirect(run: Run): Promise<void> {
  const partyUrl = need(run.options.partyUrl, "no --party-url");
  const { first, people } = needPair(run);
  const { room } = run.options;
  const socket = openSocket(run, partySocketUrl(partyUrl, room), { token: people.second.wsToken });
  const joined = await socket.hear("room_joined", run.deadline, "is this the address of the rooms?");
  if (joined.epoch !== run.epoch) throw new CheckFailed(`epoch ${run.epoch}`, joined.epoch, "these are the rooms of another deployment");
  const clientMessageId = randomUUID();
  socket.send({ type: "message", roomId: room, content: "Smoke test, straight to the room", clientMessageId });
  const ack = await socket.hear("ack", run.deadline, SILENCE, { fits: (frame) => frame.clientMessageId === clientMessageId });
  const fits = ({ messageId }: { messageId: string }) => messageId === ack.messageId;
  await first.hear("message", run.deadline, "the gateway does not hear what is said at the room", { fits });
  socket.close();
}

async function roundTrip(socket: ClientSocket, run: Run): Promise<void> {
  const from = socket.count;
  socket.send({ type: "ping" });
  await socket.hear("pong", run.deadline, "the socket no longer answers", { from });
}

function historyPath({ options }: Run, query: string): string {
  return `/v1/channels/${options.room}/messages?${query}`;
}
