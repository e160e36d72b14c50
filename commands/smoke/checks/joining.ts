import { Channel, RoomPresence } from "../../../protocol/http.ts";
import {
  CheckSkipped,
  NO_SOCKET,
  NO_TOKEN,
  SILENCE,
  TWO_PEOPLE,
  isSamePerson,
  need,
  needPair,
  type Check,
  type Run,
} from "../check.ts";
import { CheckFailed } from "../check-failed.ts";
import { expectProblem, expectShape, expectStatus } from "../http-client.ts";
import { openSocket, socketUrl } from "../sockets.ts";
import { needTokens } from "./tokens.ts";

const group = "joining";

/** Two people come to a room and see each other. */
export const JOINING_CHECKS: readonly Check[] = [
  {
    group,
    name: "the channel is created, or is there",
    async run(run) {
      const tokens = needTokens(run);
      run.people ??= { first: tokens, second: tokens };
      const body = { channelId: run.options.room, name: "Smoke test" };
      const answer = await run.http.ask("/v1/channels", { method: "POST", token: run.people.first.token, body });
      if (answer.status === 409) {
        expectProblem(answer, 409, ["channel_exists"], "only a channel of another creator may answer 409");
        return "made by somebody else before";
      }
      expectStatus(answer, [200, 201], "the code in the answer says why");
      const channel = expectShape(answer, Channel, "the deployment is of another version");
      if (channel.id !== run.options.room)
        throw new CheckFailed(`channel ${run.options.room}`, channel.id, "the id was changed");
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
      const isListed = first
        .heard("room_joined")
        .some(({ members }) => members.some((member) => member.userId === userId && member.status === "online"));
      if (!isListed)
        await first.hear("presence", run.deadline, "presence of others does not arrive", {
          fits: (frame) => frame.userId === userId && frame.status === "online",
        });
      const joined = await second.hear("room_joined", run.deadline, SILENCE);
      const ids = joined.members.map((member) => member.userId);
      const missing = [people.first.userId, userId].find((id) => !ids.some((other) => other === id));
      if (missing !== undefined)
        throw new CheckFailed(`${missing} among the members`, ids.join(", ") || "nobody", "the room's list is wrong");
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
        if (!online.includes(userId))
          throw new CheckFailed(
            `${userId} online`,
            online.join(", ") || "nobody",
            "is it the same room, of the same app?",
          );
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
        const fits = (frame: { userId: string; isTyping: boolean }) =>
          frame.userId === userId && frame.isTyping === isTyping;
        await first.hear("typing_indicator", run.deadline, "typing does not arrive", { fits, from });
      }
    },
  },
];

async function joinFirst(run: Run): Promise<string> {
  const { first: me } = need(run.people, NO_TOKEN);
  const socket = openSocket(run, socketUrl(run), { token: me.wsToken });
  const welcome = await socket.hear("welcome", run.deadline, "a close code says why: see the table of close codes");
  if (welcome.userId !== me.userId)
    throw new CheckFailed(`a welcome to ${me.userId}`, `one to ${welcome.userId}`, "whose token was it?");
  if (socket.protocol !== "chat.v1")
    throw new CheckFailed(
      "subprotocol chat.v1",
      `"${socket.protocol}"`,
      "something in between drops Sec-WebSocket-Protocol",
    );
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
