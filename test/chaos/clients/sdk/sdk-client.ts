import { ChatClient } from "../../../../client/chat-client.ts";
import { ChatError } from "../../../../client/chat-error.ts";
import type { ChatRoom } from "../../../../client/room.ts";
import type { ChatMessage, ChatTokens, Person, RoomState, Sent, Typist } from "../../../../client/types.ts";
import type { VisibleMessage } from "../../history/recorder.ts";
import type { ChaosClient, ChaosClientDeps, ChaosClientOptions } from "../chaos-client.ts";
import { tapFetch } from "./fetch-tap.ts";
import { SocketTap } from "./socket-tap.ts";

export interface SdkClientDeps extends ChaosClientDeps {
  apiUrl: string;
  wsUrl: string;
}

/** What its app knows of one room. */
interface View {
  room: ChatRoom;
  status: RoomState["status"];
  /** The socket it was last joined on. */
  socket: number;
  /** The newest position the app was told of; 0 before its first join. */
  last: number;
  waiting: number;
  online: ReadonlySet<string>;
  typing: ReadonlySet<string>;
}

const SHOWN_EVERY_MS = 1_000;
const PAGE = 50;
/** However long it was away, the checker wants its view whole. */
const EVERYTHING = 1_000_000;

/**
 * An app on top of the SDK. What it writes down as seen is what the SDK tells it: events, states and promises. Only what is
 * said and opened is taken from the sockets, as an app is not told of single attempts.
 */
export class SdkClient implements ChaosClient {
  readonly options: ChaosClientOptions;
  readonly raw = undefined;
  stoppedWith: number | undefined;
  readonly #deps: SdkClientDeps;
  readonly #tap: SocketTap;
  readonly #chat: ChatClient;
  readonly #views = new Map<string, View>();
  readonly #ids = new Set<string>();
  readonly #firstJoins: Set<string>;
  readonly #started = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ChaosClientOptions, deps: SdkClientDeps) {
    this.options = options;
    this.#deps = deps;
    this.#firstJoins = new Set(options.rooms);
    this.#tap = new SocketTap(options.name, deps);
    this.#chat = new ChatClient({
      apiUrl: deps.apiUrl,
      wsUrl: deps.wsUrl,
      getToken: () => this.#getToken(),
      catchUpMax: EVERYTHING,
      platform: {
        fetch: tapFetch({ ...deps, client: options.name }),
        WebSocket: this.#tap.WebSocket,
        random: deps.random,
      },
    });
    this.#chat.on("connection", ({ state, code }) => {
      if (state === "stopped") this.stoppedWith = code ?? 0;
    });
  }

  async start(): Promise<void> {
    const { name, user, role, rooms } = this.options;
    this.#deps.recorder.write({ kind: "client", client: name, user, role, sdk: true });
    for (const room of rooms) this.#enter(room);
    this.#timer = setInterval(() => this.#show(), SHOWN_EVERY_MS);
    await this.#chat.connect();
    await this.#started.promise;
  }

  get waiting(): number {
    return [...this.#views.values()].reduce((sum, { waiting }) => sum + waiting, 0);
  }

  isIn(room: string): boolean {
    return this.#chat.connectionState === "online" && this.#view(room).room.state.status === "joined";
  }

  headOf(room: string): number {
    return this.#view(room).last;
  }

  epochOf(room: string): string | undefined {
    return this.#view(room).room.state.epoch;
  }

  send(room: string, content: string, id?: string): void {
    if (id !== undefined && this.#ids.has(id)) return; // the SDK has answered that, or will
    if (id !== undefined) this.#ids.add(id);
    const view = this.#view(room);
    view.waiting += 1;
    void view.room
      .send(content)
      .then(
        (sent) => this.#acked(view, content, sent),
        (error: unknown) => this.#refused(view, content, error),
      )
      .finally(() => (view.waiting -= 1));
  }

  type(room: string, isTyping: boolean): void {
    this.#view(room).room.typing(isTyping);
  }

  markRead(room: string): void {
    this.#view(room).room.markRead();
  }

  pause(ms: number): void {
    this.#tap.pause(ms);
  }

  reconnect(): void {
    this.#tap.cut();
  }

  async readPage(room: string): Promise<void> {
    await this.#view(room)
      .room.history(PAGE)
      .catch(() => undefined); // the answer, or that there was none, is written down
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#tap.end();
    this.#chat.disconnect();
  }

  #view(room: string): View {
    const view = this.#views.get(room);
    if (view === undefined) throw new Error(`${this.options.name} has nothing to do with ${room}`);
    return view;
  }

  async #getToken(): Promise<ChatTokens> {
    const { body } = await this.#deps.http.exchange(this.options.user);
    if (body === undefined) throw new Error("No token");
    return body;
  }

  #enter(id: string): void {
    const room = this.#chat.join(id);
    const nobody: ReadonlySet<string> = new Set();
    const view = {
      room,
      status: "left",
      socket: 0,
      last: 0,
      waiting: 0,
      online: nobody,
      typing: nobody,
    } satisfies View;
    this.#views.set(id, view);
    room.on("change", (state) => this.#changed(view, state));
    room.on("message", (message) => this.#told(view, message));
    room.on("presence", () => this.#presence(view));
    room.on("typing", (typists) => this.#typing(view, typists));
  }

  // What the app is told.

  /** @param next The first position that is told as news, when some is told already. */
  #changed(view: View, { status, messages, epoch = "", members }: RoomState, next = Infinity): void {
    const before = view.status;
    view.status = status;
    if (status === before) return;
    if (status !== "joined") {
      const isOpen = before === "joined" && this.#chat.connectionState === "online";
      if (isOpen) this.#deps.recorder.write({ kind: "left", ...this.#place(view), wanted: false });
      return;
    }
    view.socket = this.#tap.socket;
    view.online = new Set(onlineOf(members));
    view.typing = new Set();
    const isFirst = this.#firstJoins.delete(view.room.id);
    const shown = isFirst ? visible(messages).filter(({ seq }) => seq < next) : [];
    view.last = shown.at(-1)?.seq ?? view.last;
    const numbers = shown.map((message) => this.#deps.recorder.number(view.room.id, message));
    this.#deps.recorder.write({
      kind: "joined",
      ...this.#place(view),
      epoch,
      seq: view.last,
      recovered: false,
      messages: numbers,
      online: [...view.online],
    });
    if (isFirst && this.#firstJoins.size === 0) this.#started.resolve();
  }

  #told(view: View, message: ChatMessage): void {
    this.#changed(view, view.room.state, message.seq); // that it is joined is told a moment later
    for (const one of visible([message])) {
      this.#deps.recorder.saw(this.options.name, view.socket, view.room.id, one);
      view.last = one.seq;
    }
  }

  #presence(view: View): void {
    this.#changed(view, view.room.state); // that it is joined is told a moment later
    const now = new Set(onlineOf(view.room.members));
    const online = [...now].filter((user) => !view.online.has(user));
    const offline = [...view.online].filter((user) => !now.has(user));
    view.online = now;
    if (online.length + offline.length === 0) return;
    this.#deps.recorder.write({ kind: "presence", ...this.#place(view), online, offline });
  }

  #typing(view: View, typists: readonly Typist[]): void {
    this.#changed(view, view.room.state); // that it is joined is told a moment later
    const now = new Set(typists.map(({ userId }) => userId));
    const place = this.#place(view);
    const over = [...view.typing].filter((user) => !now.has(user));
    const begun = [...now].filter((user) => !view.typing.has(user));
    view.typing = now;
    for (const user of over) this.#deps.recorder.write({ kind: "typing", ...place, user, isTyping: false });
    for (const user of begun) this.#deps.recorder.write({ kind: "typing", ...place, user, isTyping: true });
  }

  #acked(view: View, content: string, { messageId, seq, epoch, duplicate }: Sent): void {
    const attempt = this.#tap.attemptOf(view.room.id, content);
    if (attempt === undefined) return;
    const { id, socket, at } = attempt;
    const ms = Math.round((this.#deps.recorder.now() - at) * 10) / 10;
    const place = { ...this.#place(view), socket };
    this.#deps.recorder.write({ kind: "ack", ...place, id, message: messageId, seq, epoch, duplicate, ms });
  }

  #refused(view: View, content: string, error: unknown): void {
    const attempt = this.#tap.attemptOf(view.room.id, content);
    if (attempt === undefined || !(error instanceof ChatError)) return; // nothing was sent, or it is given up at the end
    const { id, socket } = attempt;
    this.#deps.recorder.write({ kind: "refusal", ...this.#place(view), socket, id, code: error.code });
  }

  /** What the app has on its screen. */
  #show(): void {
    const { recorder } = this.#deps;
    for (const { room, last } of this.#views.values()) {
      const { messages } = room.state;
      // What is acked stands last until its place is reached.
      const placed = visible(messages).filter(({ seq }) => seq <= last);
      const numbers = placed.map((message) => recorder.number(room.id, message));
      const onTheirWay = messages.filter(({ state }) => state === "sending");
      const sending = onTheirWay.flatMap(({ clientMessageId: id }) => id ?? []);
      recorder.write({ kind: "shown", client: this.options.name, room: room.id, messages: numbers, sending });
    }
  }

  #place({ room, socket }: View): { client: string; room: string; socket: number } {
    return { client: this.options.name, room: room.id, socket };
  }
}

/** Those that have their place in the order. */
function visible(messages: readonly ChatMessage[]): VisibleMessage[] {
  return messages.flatMap(({ seq, messageId, userId, content }) =>
    seq === undefined || messageId === undefined ? [] : [{ seq, messageId, userId, content }],
  );
}

function onlineOf(members: readonly Person[]): string[] {
  return members.flatMap(({ userId, status }) => (status === "online" ? [userId] : []));
}
