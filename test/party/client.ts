import { type ServerFrame, ServerFrame as ServerFrameSchema, type ServerFrameOf } from "../../protocol/frames.ts";
import { type ChannelId, UserId } from "../../protocol/ids.ts";
import type { FakeConnection } from "./fake-platform.ts";

/** The room that a client's socket leads to. */
interface Door {
  readonly channelId: ChannelId;
  deliver(connection: FakeConnection, message: unknown): Promise<void>;
  goAway(connection: FakeConnection, code?: number): Promise<void>;
}

/** Somebody with a socket to the room. */
export class Client {
  readonly connection: FakeConnection;
  readonly userId: UserId;
  readonly #room: Door;
  #read = 0;

  constructor(room: Door, user: string, connection: FakeConnection) {
    this.userId = UserId.parse(user);
    this.#room = room;
    this.connection = connection;
  }

  get closed(): { code: number; reason: string } | undefined {
    return this.connection.closed;
  }

  /** Every frame so far, checked against the published schemas. */
  get frames(): ServerFrame[] {
    return this.connection.received
      .flatMap((text) => text.split("\n"))
      .map((text) => ServerFrameSchema.parse(JSON.parse(text)));
  }

  all<Type extends ServerFrame["type"]>(type: Type): ServerFrameOf<Type>[] {
    return this.frames.filter((frame): frame is ServerFrameOf<Type> => frame.type === type);
  }

  last<Type extends ServerFrame["type"]>(type: Type): ServerFrameOf<Type> {
    const frame = this.all(type).at(-1);
    if (frame === undefined)
      throw new Error(`No "${type}" frame came, but ${this.frames.map(({ type }) => type).join(", ")}`);
    return frame;
  }

  /** The frames that came since this was last asked. */
  news(): ServerFrame[] {
    const frames = this.frames.slice(this.#read);
    this.#read += frames.length;
    return frames;
  }

  async say(frame: object): Promise<void> {
    await this.send(JSON.stringify(frame));
  }

  async send(message: unknown): Promise<void> {
    await this.#room.deliver(this.connection, message);
  }

  /** Sends a message with a client id. @returns what the room answered to it: an ack or an error. */
  async post(
    content: string,
    clientMessageId = `cid-${crypto.randomUUID()}`,
  ): Promise<ServerFrameOf<"ack"> | ServerFrameOf<"error">> {
    const before = this.frames.length;
    await this.say({ type: "message", roomId: this.#room.channelId, content, clientMessageId });
    const answer = this.frames.slice(before).find((frame) => frame.type === "ack" || frame.type === "error");
    if (answer === undefined) throw new Error("The room said nothing");
    return answer;
  }

  async leave(code?: number): Promise<void> {
    await this.#room.goAway(this.connection, code);
  }
}
