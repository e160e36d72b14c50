import { randomUUID } from "node:crypto";
import type { Browser, BrowserContextOptions, Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "vitest";
import { type Stack, startStack } from "../support/stack.ts";
import { CHROMIUM_HINT, findChromium } from "../../commands/chromium.ts";
import { openBrowser, openWindow, type Window } from "./windows.ts";

/** People who visit the page of a stack that runs for one test file. */
export interface Visitors {
  stack(): Stack;
  /** The test's own room, so that no test sees another's. */
  room(): string;
  /** Opens a window, signed in when there is a name. It is closed after the test. */
  open(name?: string, options?: BrowserContextOptions, address?: string): Promise<Window>;
  /** Two people in the test's own room, each seeing the other. */
  openTwo(): Promise<[Window, Window]>;
}

/** Runs tests in a real browser; where there is none, one skipped test says what to install. */
export function describePage(define: (visitors: Visitors) => void): void {
  const chromium = findChromium();
  if (chromium === undefined) it("the page in a browser", ({ skip }) => skip(CHROMIUM_HINT));
  else describe("the page", () => define(receiveVisitors(chromium)));
}

function receiveVisitors(chromium: string): Visitors {
  let stack: Stack;
  let browser: Browser;
  let windows: Window[] = [];
  let room = "";
  beforeAll(async () => {
    stack = await startStack({ TOKEN_RATE_LIMIT: "1000", CHANNEL_RATE_LIMIT: "1000", ENABLE_MODERATION: "true" });
    browser = await openBrowser(chromium);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });
  beforeEach(() => {
    room = `room-${randomUUID()}`;
  });
  afterEach(async () => {
    for (const window of windows) await window.close();
    windows = [];
  });
  const open: Visitors["open"] = async (name, options, address = stack.apiUrl) => {
    const window = await openWindow(browser, `${address}/#${room}`, options);
    windows.push(window);
    if (name !== undefined) await window.enter(name);
    return window;
  };
  const openTwo = async (): Promise<[Window, Window]> => {
    const ada = await open("Ada");
    const bob = await open("Bob");
    await here(ada, "Bob").waitFor();
    await here(bob, "Ada").waitFor();
    return [ada, bob];
  };
  return { stack: () => stack, room: () => room, open, openTwo };
}

/** A person on a window's list of who is here. */
export function here({ page }: Window, name: string): Locator {
  return page.locator("#people").getByTitle(name, { exact: true });
}

/** A message in a window's log, by its whole text. */
export function line({ page }: Window, text: string): Locator {
  return page.locator(".log .text").getByText(text, { exact: true });
}

/** Waits until what was said last in a window is shown as sent. */
export async function untilSent({ page }: Window): Promise<void> {
  await page.locator(".message.mine").last().getByRole("img", { name: "Sent" }).waitFor();
}

export function times(count: number, make: (at: number) => string): string[] {
  return Array.from({ length: count }, (_, at) => make(at));
}
