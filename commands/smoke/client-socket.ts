import { ServerFrame } from "../../protocol/frames.ts";
import { parseJson } from "../../protocol/json.ts";
import * as z from "zod/mini";
import { CheckFailed } from "./check-failed.ts";

type FrameOf<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

export interface SocketForm {
  /** Offered as subprotocols beside `chat.v1`. */
  token?: string;
  headers?: Record<string, string>;
}

/** A socket that remembers what came, so that a check can ask for a frame before or after it arrives. */
export class ClientSocket {
  readonly #socket: WebSocket;
  readonly #frames: ServerFrame[] = [];
  readonly #waiting = new Set<() => void>();
  /** The first thing that came and is not a documented frame. */
  #nonsense: string | undefined;
  #closed: { code: number; reason: string } | undefined;
  #opened = false;

  constructor(url: URL, { token, headers }: SocketForm = {}) {
    const protocols = token === undefined ? ["chat.v1"] : ["chat.v1", `chat.token.${token}`];
    // Node's own WebSocket takes headers too; the types know only the browser's form.
    const init = headers === undefined ? protocols : { protocols, headers };
    this.#socket = new WebSocket(url, init as string[]);
    this.#socket.addEventListener("open", () => this.#note(() => (this.#opened = true)));
    this.#socket.addEventListener("message", ({ data }) => this.#note(() => this.#hear(String(data))));
    this.#socket.addEventListener("close", ({ code, reason }) => this.#note(() => (this.#closed = { code, reason })));
    this.#socket.addEventListener("error", () => undefined); // a close event follows and says more
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  send(frame: Record<string, unknown>): void {
    this.#socket.send(JSON.stringify(frame));
  }

  close(): void {
    this.#socket.close();
  }

  /** How many frames have come: a check that wants only later ones passes it on. */
  get count(): number {
    return this.#frames.length;
  }

  /** Frames of a type that have come from position `from` on. */
  heard<Type extends ServerFrame["type"]>(type: Type, from = 0): FrameOf<Type>[] {
    return this.#frames.slice(from).filter((frame): frame is FrameOf<Type> => frame.type === type);
  }

  /**
   * Waits for a frame of a type that fits, among those that came and those that will.
   *
   * @throws {CheckFailed} when the socket closes or the deadline comes first.
   */
  async hear<Type extends ServerFrame["type"]>(
    type: Type,
    deadline: AbortSignal,
    hint: string,
    { fits = () => true, from = 0 }: { fits?: (frame: FrameOf<Type>) => boolean; from?: number } = {},
  ): Promise<FrameOf<Type>> {
    const find = () => this.heard(type, from).find(fits);
    await this.#until(
      () => find() !== undefined || this.#closed !== undefined || this.#nonsense !== undefined,
      deadline,
    );
    const found = find();
    if (found !== undefined) return found;
    throw new CheckFailed(`a "${type}" frame that fits`, this.#story(from), hint);
  }

  /** @throws {CheckFailed} when the server does not close the socket before the deadline. */
  async closeCode(deadline: AbortSignal, expected: string, hint: string): Promise<number> {
    await this.#until(() => this.#closed !== undefined, deadline);
    if (this.#closed === undefined) throw new CheckFailed(expected, this.#story(0), hint);
    return this.#closed.code;
  }

  async open(deadline: AbortSignal): Promise<void> {
    await this.#until(() => this.#opened || this.#closed !== undefined, deadline);
  }

  #hear(data: string): void {
    const parsed = z.safeParse(ServerFrame, parseJson(data));
    if (parsed.success) this.#frames.push(parsed.data);
    else this.#nonsense ??= data.slice(0, 200);
  }

  #note(change: () => void): void {
    change();
    for (const look of this.#waiting) look();
  }

  #until(isOver: () => boolean, deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isOver() && !deadline.aborted) return;
        this.#waiting.delete(look);
        deadline.removeEventListener("abort", look);
        resolve();
      };
      this.#waiting.add(look);
      deadline.addEventListener("abort", look);
      look();
    });
  }

  /** What happened instead, in words. */
  #story(from: number): string {
    const frames = this.#frames.slice(from).slice(-6);
    const last = this.heard("error", from).at(-1);
    const parts = [
      this.#opened ? "" : "no upgrade",
      frames.length === 0 ? "no such frame" : `only ${frames.map(({ type }) => type).join(", ")}`,
      last === undefined ? "" : `error ${last.code}: ${last.message}`,
      this.#nonsense === undefined ? "" : `an undocumented frame ${this.#nonsense}`,
      this.#closed === undefined ? "the socket stayed open" : `closed with ${this.#closed.code} ${this.#closed.reason}`,
    ];
    return parts.filter((part) => part !== "").join("; ");
  }
}
