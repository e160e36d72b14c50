import { type ClientOptions, WebSocket } from "ws";
import type { ChatPlatform } from "../../../../client/types.ts";
import { ClientFrame, ServerFrame, splitLines } from "../../../../protocol/frames.ts";
import { parseJson } from "../../../../protocol/json.ts";
import type { Recorder } from "../../history/recorder.ts";
import { contentDigest } from "../../history/recorder.ts";
import type { SecretWatch } from "../secrets.ts";

export interface TapDeps {
  recorder: Recorder;
  secrets: SecretWatch;
  /** Numbers the sockets of the whole run. */
  nextSocket: () => number;
}

/** Where and when a message was last tried. */
export interface Attempt {
  id: string;
  socket: number;
  at: number;
}

/** The local rooms' runtime says goodbye at once but can leave the connection open; a browser does not wait either. */
const OPTIONS: ClientOptions & { closeTimeout: number } = { closeTimeout: 1_000, perMessageDeflate: false };

/**
 * The sockets that an SDK opens, so that what it really says is written down: every attempt to send, which the SDK does not
 * tell its app. What it gives its app is not looked at here.
 */
export class SocketTap {
  /** The newest socket; 0 before the first. */
  socket = 0;
  readonly WebSocket: ChatPlatform["WebSocket"];
  readonly #client: string;
  readonly #deps: TapDeps;
  readonly #live = new Set<WebSocket>();
  /** By room and content, of which no two messages of a client have the same. */
  readonly #attempts = new Map<string, Attempt>();
  #isOver = false;

  constructor(client: string, deps: TapDeps) {
    this.#client = client;
    this.#deps = deps;
    const open = (socket: WebSocket): number => this.#watch(socket);
    const said = (number: number, text: string): void => this.#said(number, text);
    class TappedSocket extends WebSocket {
      readonly #number: number;
      constructor(url: string, protocols: string[]) {
        super(url, protocols, OPTIONS);
        this.#number = open(this);
      }
      override send(data: string): void {
        said(this.#number, data);
        super.send(data);
      }
    }
    this.WebSocket = TappedSocket;
  }

  /** The newest attempt to send something, if there was one. */
  attemptOf(room: string, content: string): Attempt | undefined {
    return this.#attempts.get(`${room} ${content}`);
  }

  /** Breaks what is open without a goodbye. */
  cut(): void {
    for (const socket of this.#live) socket.terminate();
  }

  /** Reads nothing for a while. */
  pause(ms: number): void {
    for (const socket of this.#live) {
      if (socket.readyState !== WebSocket.OPEN || socket.isPaused) continue;
      socket.pause();
      setTimeout(() => socket.resume(), ms);
    }
  }

  /** Closes that come from now on are the client's own doing. */
  end(): void {
    this.#isOver = true;
  }

  #watch(socket: WebSocket): number {
    const number = this.#deps.nextSocket();
    const { recorder } = this.#deps;
    const place = { client: this.#client, socket: number };
    this.socket = number;
    this.#live.add(socket);
    let isOpen = false;
    socket.on("message", (data: Buffer) => {
      if (!isOpen) recorder.write({ kind: "opened", ...place });
      isOpen = true;
      this.#came(number, data.toString("utf8"));
    });
    socket.on("error", () => undefined); // a close follows
    socket.on("close", (code) => {
      this.#live.delete(socket);
      if (isOpen || code !== 1006) recorder.write({ kind: "closed", ...place, code, wanted: this.#isOver });
    });
    return number;
  }

  #came(socket: number, text: string): void {
    const { secrets, recorder } = this.#deps;
    secrets.look(text, "a frame");
    if (!text.includes('"error"')) return;
    for (const line of splitLines(text)) {
      const frame = ServerFrame.safeParse(parseJson(line)).data;
      if (frame?.type !== "error") continue;
      const { code, roomId: room } = frame;
      recorder.write({ kind: "error", client: this.#client, socket, ...(room !== undefined && { room }), code });
    }
  }

  #said(socket: number, text: string): void {
    const { recorder } = this.#deps;
    for (const line of splitLines(text)) {
      const frame = ClientFrame.safeParse(parseJson(line)).data;
      const place = { client: this.#client, room: (frame !== undefined && "roomId" in frame && frame.roomId) || "" };
      if (frame?.type === "typing") recorder.write({ kind: "typed", ...place, isTyping: frame.isTyping });
      if (frame?.type !== "message" || frame.clientMessageId === undefined) continue;
      const { clientMessageId: id, content } = frame;
      this.#attempts.set(`${place.room} ${content}`, { id, socket, at: recorder.now() });
      recorder.write({ kind: "send", ...place, socket, id, content: contentDigest(content) });
    }
  }
}
