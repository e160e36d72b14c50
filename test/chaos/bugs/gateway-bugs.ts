import type { Bug } from "./bugs.ts";

/** Mistakes in the Worker: the gateway, history over HTTP, answers. */
export const GATEWAY_BUGS: readonly Bug[] = [
  {
    name: "gateway_forgets_what_it_missed",
    about: "After its way to a room broke, the gateway goes on with what is new",
    part: "worker",
    scenario: "shared",
    breaks: ["streams have no gap and no repeat"],
    patches: [
      {
        file: "functions/gateway/room-view.ts",
        find: "const missed = joined.messages.filter(({ seq }) => seq > before.seq);",
        replace: "const missed: typeof joined.messages = [];",
      },
    ],
  },
  {
    name: "gateway_repeats_what_it_had",
    about: "After its way to a room broke, the gateway shows everything the room tells again",
    part: "worker",
    scenario: "shared",
    breaks: ["streams have no gap and no repeat"],
    patches: [
      {
        file: "functions/gateway/room-session.ts",
        find: "await this.#host.dial(this.#roomId, token, this.#view.position)",
        replace:
          "await this.#host.dial(this.#roomId, token, this.#view.position && { ...this.#view.position, seq: Math.max(0, this.#view.position.seq - 5) })",
      },
      {
        file: "functions/gateway/room-view.ts",
        find: "const missed = joined.messages.filter(({ seq }) => seq > before.seq);",
        replace: "const missed = joined.messages;",
      },
    ],
  },
  {
    name: "history_without_the_tail",
    about: "History over HTTP has only what has reached Postgres",
    part: "worker",
    scenario: "unkept",
    breaks: ["history has what was just acked"],
    patches: [
      {
        file: "domain/history.ts",
        find: "if (!isStranger && isWhole(stored, range)) return",
        replace: "if (!isStranger) return",
      },
    ],
  },
  {
    name: "store_away_is_500",
    about: "A store that is away is answered as if we had made a mistake",
    part: "worker",
    scenario: "unkept",
    breaks: ["no 5xx other than 503"],
    patches: [
      {
        file: "protocol/errors.ts",
        find: "storage_unavailable: { status: 503,",
        replace: "storage_unavailable: { status: 500,",
      },
    ],
  },
];
