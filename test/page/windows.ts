import { type Browser, type BrowserContextOptions, type Page, chromium } from "playwright-core";
import { Plug } from "./plug.ts";

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
  /** The texts that are in the document, in order: all of a short log, of a long one those near what is seen. */
  texts(): Promise<string[]>;
  close(): Promise<void>;
}

/** @param prepare Done to the page before it is loaded. */
export async function openWindow(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  prepare: (page: Page) => Promise<void> = async () => {},
): Promise<Window> {
  const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  const plug = new Plug();
  await plug.put(page);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await prepare(page);
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
    texts: () => page.locator(".log .text").allInnerTexts(),
    close: () => context.close(),
  };
}
