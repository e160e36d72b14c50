import { KNOCKS } from "../../../domain/visits.ts";
import type * as z from "zod/mini";
import * as frames from "../../../protocol/frames.ts";
import * as ids from "../../../protocol/ids.ts";
import { LIMITS, TIMES } from "../../../protocol/limits.ts";
import { CLIENT_EXAMPLES, SERVER_EXAMPLES } from "./examples.ts";
import { fieldsTable, namedType } from "./fields.ts";
import { page, table } from "./table.ts";

interface Entry {
  schema: z.ZodMiniType;
  about: string;
}

/** Every frame a client may send. A new one does not compile until it is here. */
export const CLIENT_FRAMES: Record<keyof typeof CLIENT_EXAMPLES, Entry> = {
  auth: {
    schema: frames.AuthFrame,
    about: "Only as the very first frame of a socket that was opened without a token, within 5 s.",
  },
  message: {
    schema: frames.MessageFrame,
    about:
      "Says something in a room. Answered by an `ack` once it is in the room's durable storage, or by an `error` with its `clientMessageId` if it certainly is not. Silence means unknown: send it again with the same `clientMessageId`. So does an `error` without one, which is about the room: it is out of reach (`storage_unavailable`, `rooms_unavailable`), could not look something up, or will not have you (`forbidden`, `room_not_found`), and what you have sent may have been stored before. Without one it cannot be recognised again. An id is the user's own in that room, for ever: sent again with the same content it gets the same `ack` with `duplicate: true`, with other content `duplicate_conflict`, however long ago it was. An id from more than 72 hours and 10,000 messages ago has to be looked up; where that cannot be done, `storage_unavailable` or `rate_limited` comes without the id: send it again later. Only a room that has lost its storage knows no more than the ids of the newest 1,000 messages before that; an older one used again is a new message, which history keeps without its `clientMessageId`. `timestamp` is only taken note of; the server's time counts. Without `roomId` it goes to the room the socket was opened for.",
  },
  join_room: {
    schema: frames.JoinRoomFrame,
    about: "Joins one more room on this socket, from `since` if given. Answered by `room_joined`.",
  },
  leave_room: { schema: frames.LeaveRoomFrame, about: "Leaves a room on this socket. Answered by `room_left`." },
  typing: {
    schema: frames.TypingFrame,
    about:
      "Says that the user types, or has stopped. Passed on at most once a second, and forgotten after 6 s. Never stored.",
  },
  read: { schema: frames.ReadFrame, about: "The user has read up to `seq`. A mark never goes back." },
  refresh: {
    schema: frames.RefreshFrame,
    about:
      "A new `wsToken` of the same user and app, so that the socket outlives the old one. A good one gets no answer; a bad one ends the socket.",
  },
  received: {
    schema: frames.ReceivedFrame,
    about:
      "Flow control: everything up to `seq` has arrived. Send it every 32 messages or every second; see [slow readers](#slow-readers).",
  },
  ping: {
    schema: frames.PingFrame,
    about:
      "Answered by `pong`. Whoever has sent one (or a `received`) and then nothing for 45 s is closed with 4003; whoever never has keeps the socket, and is shown as offline after 45 s of silence.",
  },
};

/** Every frame the server may send. */
export const SERVER_FRAMES: Record<keyof typeof SERVER_EXAMPLES, Entry> = {
  welcome: { schema: frames.WelcomeFrame, about: "The first frame of every socket." },
  room_joined: {
    schema: frames.RoomJoinedFrame,
    about:
      "The socket is in a room. `messages` is what came after `since`, else the last 50. `recovered: false` means that there is a gap, or that the order began anew (another `epoch`): page the history over HTTP.",
  },
  room_left: { schema: frames.RoomLeftFrame, about: "The socket has left a room." },
  message: {
    schema: frames.RoomMessageFrame,
    about: "A message, to everybody in the room. `clientMessageId` only to its author.",
  },
  ack: {
    schema: frames.AckFrame,
    about:
      "The message is kept: it will be in history, at this `seq`, for every member, once. `duplicate` when it had been acked before.",
  },
  presence: {
    schema: frames.PresenceFrame,
    about:
      "Somebody came or went. Two tabs are one person; changes are gathered for 100 ms, and a return within 5 s shows nothing.",
  },
  presence_changes: {
    schema: frames.PresenceChangesFrame,
    about: `More than ${LIMITS.presenceSingles} changes that are told at once: each as in \`presence\`, and how many people there are after them. It goes to everybody, so it may name the reader. In a rush changes are gathered for longer, for a second at first and for up to four if it lasts.`,
  },
  presence_count: {
    schema: frames.PresenceCountFrame,
    about:
      "Instead of the differences, in rooms of more than 200 people: how many there are, and some of them. When `sample` is as long as `memberCount` it is the whole list, in place of what the client believed.",
  },
  typing_indicator: {
    schema: frames.TypingIndicatorFrame,
    about: "Somebody types, or has stopped. Forget it after 6 s without another.",
  },
  read: {
    schema: frames.ReadMarkFrame,
    about: "Somebody has read up to `seq`. Right after `room_joined` it says how far the user has, on whatever device.",
  },
  heads: {
    schema: frames.HeadsFrame,
    about: "The newest `seq` of each joined room, every 25 s: who missed the last message finds out.",
  },
  error: {
    schema: frames.ErrorFrame,
    about:
      "A frame was refused; the socket stays open. With a `clientMessageId` it is about that message, which is certainly not stored. The codes are in [errors.md](errors.md).",
  },
  pong: { schema: frames.PongFrame, about: "The answer to `ping`." },
};

/** `docs/protocol.md`. */
export function protocolPage(): string {
  return page(
    "# The socket protocol",
    "Generated from `protocol/frames.ts` and `protocol/limits.ts`; `npx vitest run test/house -u` writes it anew.",
    "Frames are JSON objects in text messages, with a `type`. What a client sends is read strictly: an unknown field or type is answered with an `error`. What the server sends may get new fields and types: ignore what you do not know.",
    ...opening(),
    "## What clients send",
    ...describe(CLIENT_FRAMES, CLIENT_EXAMPLES),
    "## What the server sends",
    ...describe(SERVER_FRAMES, SERVER_EXAMPLES),
    "## Named types",
    table(
      ["name", "is"],
      [
        namedType("ChannelId", ids.ChannelId),
        namedType("UserId", ids.UserId),
        namedType("ClientMessageId", ids.ClientMessageId),
        namedType("Epoch", frames.Epoch),
        namedType("Seq", frames.Seq),
        namedType("Since", frames.Since),
        namedType("RoomMember", frames.RoomMember),
        namedType("Message", frames.Message),
      ],
    ),
    ...slowReaders(),
    ...limits(),
    "## When a socket ends",
    "The close code says whether to come back; see [errors.md](errors.md#close-codes). A client that comes back waits, longer each time and with jitter, gets a new token first after 4001, and joins with `since`.",
  );
}

function opening(): string[] {
  return [
    "## Opening a socket",
    table(
      ["address", "what it is"],
      [
        [
          "`wss://<worker>/ws?roomId=<id>`",
          "The gateway: many rooms on one socket. `roomId` defaults to `lobby`. Also at `/api/ws`.",
        ],
        ["`wss://<rooms>/parties/main/<id>`", "One room directly: one hop less, no other rooms."],
      ],
    ),
    "The token is the `wsToken` of an exchange or a mint. It comes in one of four ways:",
    table(
      ["way", "how", "for"],
      [
        ["header", "`Authorization: Bearer <wsToken>`", "servers and native apps"],
        ["subprotocol", "offer `chat.v1` and `chat.token.<wsToken>`; only `chat.v1` is chosen", "browsers"],
        ["first frame", `\`{"type":"auth","token":"…"}\` within ${TIMES.authFrameMs / 1_000} s`, "anybody"],
        ["address", "`?token=<wsToken>`; never logged or stored here, but proxies may log it", "simple clients"],
      ],
    ),
    "A bad token is accepted and then closed with a code, because a browser cannot see a refused upgrade. A page from an origin that is not allowed is refused with 403.",
    "After `welcome` the socket joins its first room by itself. `?since=<epoch>.<seq>` joins it from where the client stopped.",
    "### Several frames in one message",
    `A client that offers the subprotocol \`chat.v1.lines\` instead of \`chat.v1\` may get several frames in one WebSocket message, one JSON object per line, and may send so too. A quiet room sends at once; a busy one gathers for at most ${TIMES.frameGatherMs} ms.`,
  ];
}

function describe(entries: Record<string, Entry>, examples: Record<string, unknown>): string[] {
  return Object.entries(entries).flatMap(([type, { schema, about }]) => [
    `### \`${type}\``,
    about,
    fieldsTable(schema),
    `\`\`\`json\n${JSON.stringify(examples[type], undefined, 2)}\n\`\`\``,
  ]);
}

function slowReaders(): string[] {
  const { unreadMaxEvents, unreadMaxBytes, unheardMaxChars } = LIMITS;
  const seconds = TIMES.slowReaderMs / 1_000;
  return [
    "## Slow readers",
    `A room pushes to a socket as long as at most ${unreadMaxEvents} messages, or ${unreadMaxBytes / 1024 / 1024} MiB of them, are on their way to it without having been acknowledged. Beyond that it is sent no message, presence, typing or \`heads\` any more; what answers its own frames still comes. As it acknowledges, the messages come from the room's log, in order and without a gap, until it is level with the others. It is told at once that whoever was typing has stopped, as it would not hear of it; once it is level it is told who is typing then, and, if who is here was told of meanwhile, gets a \`presence_count\` with the list as it is now.`,
    `Whoever acknowledges nothing new for ${seconds} s in that state is closed with 4002. Whoever is so late that the room has dropped what comes next (it keeps 10,000 messages at least) is closed with 4003. Both may come back with \`since\`.`,
    "A client that has never sent `received` in a room acknowledges everything it has been sent by any frame it sends, a `ping` for instance. One that sends nothing at all gets as far as the limit; so a client that only listens must say `received`, or ping. Once a socket has said `received`, nothing else counts.",
    `Whoever is sent ${unheardMaxChars / 1024 / 1024} MiB of anything by a room, presence and typing included, without being heard of there once is closed with 4002, too.`,
    "`room_joined` and what it brings counts as acknowledged. `join_room` on a room that is joined already starts over from there, and is answered at most twenty times at once and then once a second.",
  ];
}

function limits(): string[] {
  return [
    "## Limits",
    table(
      ["what", "limit"],
      [
        [
          "a message",
          `${LIMITS.messageMaxCodePoints} code points after trimming, ${LIMITS.messageMaxBytes} bytes of UTF-8; no control characters, no lone surrogates`,
        ],
        ["a frame", `${LIMITS.frameMaxBytes / 1024} KiB`],
        ["messages", "30 per user, room and minute (`RATE_LIMIT_MAX_MESSAGES`, `RATE_LIMIT_WINDOW_MS`)"],
        [
          "other frames",
          `${LIMITS.answersPerMinute} a minute and socket, \`received\` apart (in a room 20 for each message that may be written, if that is more); then the socket is closed with 4029`,
        ],
        ["sockets", `${LIMITS.socketsPerUserPerRoom} per user and room; one more closes the oldest with 4507`],
        [
          "opening them",
          `${KNOCKS.burst} per user to all rooms at once, and then ${1_000 / KNOCKS.everyMs} a second; one more is closed with 4029`,
        ],
        [
          "rooms",
          `${LIMITS.roomsPerSocket} on one socket; a gateway socket that has been in none for ${TIMES.roomlessMs / 1_000} s is closed with 4003 and may come back`,
        ],
        ["frames that cannot be read", `${LIMITS.strikesPerSocket}, then the socket is closed with 4508`],
      ],
    ),
  ];
}
