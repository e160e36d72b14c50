import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../functions/routes.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { findChromium } from "../../commands/chromium.ts";
import { openBrowser } from "./windows.ts";

const chromium = findChromium();

describe.skipIf(chromium === undefined)(
  `the docs page${chromium === undefined ? " (there is no Chromium)" : ""}`,
  () => {
    let stack: Stack;
    let browser: Browser;
    let page: Page;
    const complaints: string[] = [];
    const asked: string[] = [];

    beforeAll(async () => {
      stack = await startStack();
      browser = await openBrowser(chromium ?? "");
      page = await browser.newPage();
      page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (request) => asked.push(request.url()));
      await page.goto(`${stack.apiUrl}/api/chats/docs`);
      await page.locator(".opblock").first().waitFor();
    });
    afterAll(async () => {
      await browser?.close();
      await stack?.stop();
    });

    const operation = (method: string, path: string) =>
      page
        .locator(".opblock")
        .filter({ has: page.locator(`[data-path="${path.replace(/:([A-Za-z]+)/g, "{$1}")}"]`) })
        .filter({ has: page.locator(".opblock-summary-method").getByText(method, { exact: true }) });

    it.each(ROUTES.flatMap(({ method, path, aliases = [] }) => [path, ...aliases].map((at) => [method, at] as const)))(
      "S4-3 shows %s %s",
      async (method, path) => {
        expect(await operation(method, path).count()).toBe(1);
      },
    );

    it("S4-3 makes a request from the page and shows the answer", async () => {
      const alive = operation("GET", "/healthz");
      await alive.locator(".opblock-summary-control").click();
      await alive.getByRole("button", { name: "Try it out" }).click();
      await alive.getByRole("button", { name: "Execute" }).click();
      await alive.locator(".live-responses-table").getByText('"ok"').waitFor();
    });

    it("asks no other host for anything, and breaks no rule of its own policy", () => {
      expect(asked.filter((url) => new URL(url).origin !== stack.apiUrl && !url.startsWith("data:"))).toEqual([]);
      expect(complaints).toEqual([]);
    });
  },
);
