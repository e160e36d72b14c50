import { randomUUID } from "node:crypto";
import { HistoryPage } from "../../../protocol/http.ts";
import { SILENCE, need, needPair, type Check, type Run } from "../check.ts";
import { CheckFailed } from "../check-failed.ts";
import { describe, expectProblem, expectShape, expectStatus } from "../http-client.ts";
import { openSocket, socketUrl } from "../sockets.ts";
import type { ClientSocket } from "../client-socket.ts";

const group = "messages";

/** A message is stored, delivered, never repeated, and found again. */
export const MESSAGE_CHECKS: readonly Check[] = [
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
          throw new CheckFailed(
            `${name} ${value}`,
            String(message[name as keyof typeof wanted]),
            "the message was changed on its way",
          );
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
      const ack = await first.hear("ack", run.deadline, SILENCE, {
        fits: (frame) => frame.clientMessageId === clientMessageId,
        from,
      });
      if (!ack.duplicate || ack.seq !== sent.seq || ack.messageId !== sent.messageId)
        throw new CheckFailed(
          `duplicate of ${sent.messageId} at ${sent.seq}`,
          `${ack.messageId} at ${ack.seq}`,
          "a resent message must keep its place",
        );
      await roundTrip(second, run);
      const copies = second.heard("message").filter(({ messageId }) => messageId === sent.messageId).length;
      if (copies !== 1)
        throw new CheckFailed("one delivery", `${copies}`, "a resent message must not be delivered again");
    },
  },
  {
    group,
    name: "a message that is too long is refused, the socket stays",
    async run(run) {
      const { first } = needPair(run);
      const clientMessageId = randomUUID();
      const { limits } = await first.hear("welcome", run.deadline, SILENCE);
      first.send({
        type: "message",
        roomId: run.options.room,
        content: "x".repeat(limits.messageMaxLength + 1),
        clientMessageId,
      });
      const error = await first.hear("error", run.deadline, "a refusal must be told", {
        fits: (frame) => frame.clientMessageId === clientMessageId,
      });
      if (error.code !== "content_too_long")
        throw new CheckFailed("error content_too_long", error.code, "see the table of errors");
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
      expectProblem(
        await run.http.ask(path, { token: people.first.wsToken }),
        401,
        ["wrong_token_kind"],
        "stop: the wrong token can read",
      );
    },
  },
];

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
  throw new CheckFailed(
    `recovered, and the message at ${sent.seq} first`,
    came,
    "the room's log does not hold what it acked",
  );
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
    throw new CheckFailed(
      `message ${sent.messageId} at ${sent.seq}`,
      `${found.length} of it in ${describe(answer)}`,
      hint,
    );
  const older = await run.http.ask(historyPath(run, `limit=5&before=${sent.seq}`), { token: people.first.token });
  expectStatus(older, 200, hint);
  const page = expectShape(older, HistoryPage, "the deployment is of another version");
  if (page.messages.some(({ seq }) => seq >= sent.seq))
    throw new CheckFailed(`messages before ${sent.seq}`, describe(older), hint);
}

async function roundTrip(socket: ClientSocket, run: Run): Promise<void> {
  const from = socket.count;
  socket.send({ type: "ping" });
  await socket.hear("pong", run.deadline, "the socket no longer answers", { from });
}

function historyPath({ options }: Run, query: string): string {
  return `/v1/channels/${options.room}/messages?${query}`;
}
