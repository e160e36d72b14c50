import { losing, onPaths, onRoute, saying, withFields } from "./bends.ts";
import type { Bend } from "./deployment.ts";

/** The same of one whose rooms are. */
export const BROKEN_ROOMS: [string, Bend, string[]][] = [
  [
    "creates no channels",
    onRoute("POST", "/v1/channels", ({ status }) => (status < 300 ? { status: 500 } : {})),
    ["the channel is created, or is there"],
  ],
  ["never welcomes", losing("welcome"), ["a socket opens and joins the room"]],
  ["welcomes somebody else", saying("welcome", { userId: "eve" }), ["a socket opens and joins the room"]],
  ["sends undocumented frames", saying("welcome", { limits: "none" }), ["a socket opens and joins the room"]],
  ["never joins", losing("room_joined"), ["a socket opens and joins the room"]],
  ["joins only one", losing("room_joined", (_, to) => to === "smoke-bob"), ["a second client joins"]],
  [
    "does not tell who comes",
    losing("presence", ({ status }) => status === "online"),
    ["the first sees the second come"],
  ],
  [
    "does not tell who goes",
    losing("presence", ({ status }) => status === "offline"),
    ["the first sees the second go"],
  ],
  ["has an empty roster", saying("room_joined", { members: [] }), ["the first sees the second come"]],
  [
    "has nobody online",
    onPaths(["/v1/presence"], withFields({ members: [] })),
    ["presence over HTTP names who is there"],
  ],
  ["loses typing", losing("typing_indicator"), ["the first sees the second type"]],
  [
    "never stops typing",
    losing("typing_indicator", ({ isTyping }) => isTyping === false),
    ["the first sees the second type"],
  ],
  ["does not ack", losing("ack"), ["a message is acked", "the room itself takes sockets and delivers"]],
  ["acks in another epoch", saying("ack", { epoch: "e2" }), ["a message is acked"]],
  [
    "acks and does not deliver",
    losing("message"),
    [
      "the second client receives it, once and as it was sent",
      "the same message again is acked and not repeated",
      "the room itself takes sockets and delivers",
    ],
  ],
  [
    "delivers something else",
    saying("message", { content: "BUY NOW" }),
    ["the second client receives it, once and as it was sent"],
  ],
  [
    "delivers under another name",
    saying("message", { userId: "eve" }),
    ["the second client receives it, once and as it was sent"],
  ],
  [
    "delivers at another place",
    saying("message", { seq: 999 }),
    ["the second client receives it, once and as it was sent"],
  ],
  ["delivers again", { repeats: true }, ["the same message again is acked and not repeated"]],
  ["calls a repeat new", saying("ack", { duplicate: false }), ["the same message again is acked and not repeated"]],
  ["is silent about refusals", losing("error"), ["a message that is too long is refused, the socket stays"]],
  [
    "refuses for another reason",
    saying("error", { code: "internal" }),
    ["a message that is too long is refused, the socket stays"],
  ],
  [
    "does not answer pings",
    losing("pong"),
    ["the same message again is acked and not repeated", "a message that is too long is refused, the socket stays"],
  ],
  [
    "forgets what was missed",
    saying("room_joined", { messages: [] }),
    ["a client that comes back gets what it missed"],
  ],
  [
    "starts over at each return",
    saying("room_joined", { recovered: false }),
    ["a client that comes back gets what it missed"],
  ],
  [
    "has no history",
    onPaths(["/v1/channels/smoke-test/messages"], ({ status }) =>
      status === 200 ? { body: { messages: [], next: null, prev: null } } : {},
    ),
    ["history holds the message, once"],
  ],
  [
    "has everything twice in history",
    onPaths(["/v1/channels/smoke-test/messages"], ({ status, body }) => (status === 200 ? { body: twice(body) } : {})),
    ["history holds the message, once"],
  ],
  [
    "shows history to anybody",
    onPaths(["/v1/channels/smoke-test/messages"], ({ status }) => (status === 401 ? { status: 200 } : {})),
    ["history needs a token"],
  ],
  [
    "loses the Authorization header of upgrades",
    { upgrade: ({ headers }) => void delete headers.authorization },
    ["a token in the Authorization header opens a socket"],
  ],
  [
    "takes no token in the address",
    { upgrade: ({ url }) => (url?.includes("token=") === true ? 400 : undefined) },
    ["a token in the address opens a socket"],
  ],
  [
    "takes no first frame",
    {
      upgrade: ({ url, headers }) =>
        headers["sec-websocket-protocol"] === "chat.v1" &&
        headers.authorization === undefined &&
        url?.includes("token=") !== true
          ? 400
          : undefined,
    },
    ["a token in the first frame opens a socket"],
  ],
  [
    "has no way to its rooms",
    { upgrade: ({ url }) => (url?.startsWith("/parties/") === true ? 404 : undefined) },
    ["the room itself takes sockets and delivers"],
  ],
];

function twice(page: unknown): unknown {
  const { messages } = page as { messages: unknown[] };
  return { messages: [...messages, ...messages], next: null, prev: null };
}
