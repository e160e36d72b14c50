import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, type Page, type WebSocketRoute, chromium } from "playwright-core";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
];
// A browser that calls home at every start is slow where there is no way out.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where a Chromium is on this machine: `CHROMIUM_PATH`, or where packages put it. */
export function findChromium(): string | undefined {
  return [process.env["CHROMIUM_PATH"], ...PLACES].find((path) => path !== undefined && existsSync(path));
}

export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS });
}

/** A browser window of one person, with a plug between its socket and the server. */
export interface Window {
  page: Page;
  /** What the page logged as an error or threw. */
  complaints: string[];
  plug: Plug;
  enter(name: string): Promise<void>;
  say(text: string): Promise<void>;
  /** The texts in the log, in order. */
  texts(): Promise<string[]>;
  close(): Promise<void>;
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
  readonly #live = new Set<{ page: WebSocketRoute; server: WebSocketRoute }>();

  async put(page: Page): Promise<void> {
    await page.routeWebSocket(/\/ws/, (route) => this.#join(route));
  }

  /** Ends every socket as a network does that goes away: without a word of reason. */
  async cut(): Promise<void> {
    for (const { page, server } of this.#live) {
      await page.close({ code: 1001 });
      await server.close();
    }
    this.#live.clear();
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
    page.onMessage((data) => server.send(data));
    server.onMessage((data) => {
      const frame = JSON.parse(String(data)) as { type: string; clientMessageId?: string; duplicate?: boolean };
      const isAnswer = frame.type === "ack" || (frame.type === "message" && frame.clientMessageId !== undefined);
      const isLost = isAnswer && this.losesAnswers;
      if (isLost && frame.type === "ack") this.lostAcks += 1;
      if (!isLost && frame.duplicate === true) this.duplicateAcks += 1;
      if (!isLost) page.send(data);
    });
  }
}

export async function openWindow(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Window> {
  const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  const plug = new Plug();
  await plug.put(page);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(url);
  return {
    page,
    complaints,
    plug,
    async enter(name) {
      await page.getByLabel("Your name").fill(name);
      await page.getByRole("button", { name: "Start chatting" }).click();
      await page.getByText("Connected", { exact: true }).waitFor();
    },
    async say(text) {
      await page.getByLabel("Message", { exact: true }).fill(text);
      await page.keyboard.press("Enter");
    },
    texts: () => page.locator("#lines .text").allInnerTexts(),
    close: () => context.close(),
  };
}
