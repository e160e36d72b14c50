import type { Page, WebSocketRoute } from "playwright-core";
import { splitLines } from "../../protocol/frames.ts";

interface Frame {
  type: string;
  clientMessageId?: string;
  duplicate?: boolean;
}

/** The way between the page's sockets and the server, which a test can cut, block or make lose acks. */
export class Plug {
  isBlocked = false;
  /** What tells the page that its own message is stored is swallowed. */
  losesAnswers = false;
  lostAcks = 0;
  /** Acks that came through and said that the message was stored already. */
  duplicateAcks = 0;
  /** How many sockets the page has opened. */
  opened = 0;
  /** The kinds of frames that the page has sent. */
  readonly sent: string[] = [];
  readonly #live = new Set<{ page: WebSocketRoute; server: WebSocketRoute }>();

  async put(page: Page): Promise<void> {
    await page.routeWebSocket(/\/ws/, (route) => this.#join(route));
  }

  /** Ends every socket as a network does that goes away: without a word of reason. */
  cut(): Promise<void> {
    return this.end(1001);
  }

  /** Ends every socket the way the server would, with a code of its own. */
  async end(code: number): Promise<void> {
    for (const { page, server } of this.#live) {
      await page.close({ code });
      await server.close();
    }
    this.#live.clear();
  }

  #join(page: WebSocketRoute): void {
    this.opened += 1;
    if (this.isBlocked) {
      void page.close({ code: 1001 });
      return;
    }
    const server = page.connectToServer();
    this.#live.add({ page, server });
    page.onMessage((data) => {
      for (const line of splitLines(String(data))) this.sent.push((JSON.parse(line) as Frame).type);
      server.send(data);
    });
    server.onMessage((data) => {
      const lines = splitLines(String(data)).filter((line) => this.#lets(JSON.parse(line) as Frame));
      if (lines.length > 0) page.send(lines.join("\n"));
    });
  }

  #lets(frame: Frame): boolean {
    const isAnswer = frame.type === "ack" || (frame.type === "message" && frame.clientMessageId !== undefined);
    const isLost = isAnswer && this.losesAnswers;
    if (isLost && frame.type === "ack") this.lostAcks += 1;
    if (!isLost && frame.duplicate === true) this.duplicateAcks += 1;
    return !isLost;
  }
}
