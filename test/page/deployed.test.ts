import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM_HINT, findChromium } from "../../commands/chromium.ts";
import { createTokenKeys, signChatToken } from "../../domain/chat-tokens.ts";
import { ROUTES } from "../../functions/routes.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import { freePort } from "../../dev/free-port.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { findFaults } from "./axe.ts";
import { type ClerkBrowser, ClerkStandIn } from "./clerk-stand-in.ts";
import { line, untilSent } from "./visitors.ts";
import { openBrowser, openWindow, type Window } from "./windows.ts";

const AT_LEISURE = { timeout: 20_000 };
const GRACE = { id: "user_2grace", fullName: "Grace Hopper" };
const ALAN = { id: "user_2alan", fullName: "Alan Turing" };

const chromium = findChromium();
if (chromium === undefined) it("a deployment's pages in a browser", ({ skip }) => skip(CHROMIUM_HINT));

// As deployments are and the stack of developers is not: no local issuer, and people sign in with Clerk.
describe.skipIf(chromium === undefined)("a deployment", () => {
  let clerk: ClerkStandIn;
  let stack: Stack;
  let browser: Browser;
  beforeAll(async () => {
    clerk = await ClerkStandIn.start();
    const port = await freePort();
    const settings = {
      ENVIRONMENT: "preview",
      DEV_MODE: "false",
      CLERK_JWT_ISSUER: clerk.issuer,
      CLERK_JWKS_URL: clerk.keySetUrl,
      CLERK_PUBLISHABLE_KEY: clerk.publishableKey,
      CLERK_AUTHORIZED_PARTIES: `http://127.0.0.1:${port}`,
      TOKEN_RATE_LIMIT: "1000",
    };
    stack = await startStack(settings, { port });
    browser = await openBrowser(chromium ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    await clerk?.stop();
  });

  describe("its page, where people sign in with Clerk", () => {
    const windows: Window[] = [];
    afterEach(async () => {
      for (const window of windows.splice(0)) await window.close();
    });

    /** A browser with somebody signed in at Clerk, or nobody. */
    async function open(person?: typeof GRACE, more: (at: ClerkBrowser, page: Page) => unknown = () => undefined) {
      let at: ClerkBrowser | undefined;
      const window = await openWindow(browser, `${stack.apiUrl}/#lobby`, {}, async (page) => {
        at = await clerk.meet(page, person);
        await more(at, page);
      });
      windows.push(window);
      if (at === undefined) throw new Error("The page was not prepared");
      return { ...window, at };
    }
    const button = ({ page }: Window) => page.getByRole("button", { name: "Sign in with Clerk" });
    const chatting = ({ page }: Window) => page.getByText("Connected", { exact: true }).waitFor();

    it("goes to Clerk's page to sign in, comes back to the same channel, and chats under the name that Clerk has", async () => {
      const [grace, alan] = [await open(), await open(ALAN)];
      await button(grace).click();
      await grace.page.getByRole("link", { name: "Continue as Grace" }).click();
      await chatting(grace);
      await chatting(alan); // who was signed in at Clerk already, and had nothing to press
      expect(grace.page.url()).toBe(`${stack.apiUrl}/#lobby`);
      await alan.say("Good morning");
      await line(grace, "Good morning").waitFor();
      await grace.say("Good morning, Alan");
      await line(alan, "Good morning, Alan").waitFor();
      expect(await alan.page.locator(".log .author").allInnerTexts()).toEqual(["Alan Turing", "Grace Hopper"]);
      expect([...grace.complaints, ...alan.complaints]).toEqual([]);
    });

    it("M01 has a policy in force that lets in Clerk, and neither another host nor inline code", async () => {
      const { page, complaints } = await open();
      await page.route("https://elsewhere.test/**", (route) =>
        route.fulfill({ headers: { "access-control-allow-origin": "*" }, body: "document.title = 'owned'" }),
      );
      const outcomes = await page.evaluate(
        async (hosts) => {
          const asked = hosts.map((host) =>
            fetch(`${host}/v1/client`).then(
              () => "answered",
              () => "refused",
            ),
          );
          const script = document.createElement("script");
          script.src = "https://elsewhere.test/script.js";
          const loaded = new Promise((done) => {
            script.onload = () => done("ran");
            script.onerror = () => done("refused");
          });
          const inline = document.createElement("script");
          inline.textContent = "document.title = 'owned'";
          document.head.append(script, inline);
          return [...(await Promise.all(asked)), await loaded, document.title];
        },
        [clerk.issuer, "https://elsewhere.test"],
      );
      expect(outcomes).toEqual(["answered", "refused", "refused", "Parley"]);
      expect(complaints.filter((text) => !text.includes("Content Security Policy"))).toEqual([]);
    });

    it("asks Clerk for a session token anew when the one it had has ended, and nobody notices", async () => {
      const grace = await open(GRACE, shortLived);
      const exchanges: { session: string; status: number }[] = [];
      grace.page.on("response", (answer) => {
        const { authorization: session = "" } = answer.request().headers();
        if (answer.url().endsWith("/v1/token")) exchanges.push({ session, status: answer.status() });
      });
      await chatting(grace);
      await grace.say("with the first tokens");
      await untilSent(grace);
      await expect.poll(() => grace.plug.sent.includes("refresh"), AT_LEISURE).toBe(true);
      await grace.say("with the next");
      await untilSent(grace);
      const last = exchanges.at(-1);
      expect(last?.status).toBe(200);
      expect(endOf(last?.session)).toBeGreaterThan(Date.now() + 30_000);
      expect([grace.at.tokensAsked, grace.plug.opened, grace.complaints]).toEqual([1, 1, []]);
    });

    it("signs out at Clerk too, and stays out after a reload", async () => {
      const grace = await open(GRACE);
      await chatting(grace);
      const { promise, resolve } = Promise.withResolvers<void>();
      grace.at.beforeSignOut = promise;
      await grace.page.getByRole("button", { name: "Sign out" }).click();
      await grace.page.getByRole("button", { name: "One moment…" }).waitFor(); // Clerk still has the session
      resolve();
      await button(grace).waitFor();
      expect(grace.at.person).toBeUndefined();
      await grace.page.reload();
      await button(grace).waitFor();
      expect(await grace.page.evaluate(() => sessionStorage.length)).toBe(0);
    });

    it("says so when Clerk cannot be told of it, and lets one in again only when asked to", async () => {
      const grace = await open(GRACE);
      await chatting(grace);
      grace.at.network = "refuses";
      await grace.page.getByRole("button", { name: "Sign out" }).click();
      await grace.page.getByRole("alert").getByText("you may still be signed in there").waitFor();
      grace.at.network = "works";
      await button(grace).click();
      await chatting(grace);
    });

    it("asks to sign in again when the session has ended at Clerk, and does not go round in circles", async () => {
      const grace = await open(GRACE, shortLived);
      await chatting(grace);
      grace.at.person = undefined;
      await grace.page.getByText("Your sign-in no longer holds here. Please sign in again.").waitFor();
      expect(grace.at.tokensAsked).toBe(1);
      await button(grace).click();
      await grace.page.getByRole("link", { name: "Continue as Grace" }).waitFor();
    });

    it("says that Clerk cannot be reached, and signs in when it can", async () => {
      const grace = await open(GRACE, (at) => void (at.network = "refuses"));
      await grace.page.getByRole("alert").getByText("Clerk at clerk.parley.test cannot be reached").waitFor();
      await button(grace).waitFor();
      expect(await findFaults(grace.page)).toEqual([]);
      grace.at.network = "works";
      await button(grace).click();
      await chatting(grace);
    });

    it("says the same when Clerk does not answer for ten seconds", async () => {
      const grace = await open(GRACE, async (at, page) => {
        at.network = "hangs";
        await page.clock.install();
      });
      await grace.page.getByRole("button", { name: "One moment…" }).waitFor();
      await grace.page.clock.fastForward(10_000);
      await grace.page.getByRole("alert").getByText("cannot be reached").waitFor();
      expect(await button(grace).isEnabled()).toBe(true);
    });

    /** A token that Clerk's script has had for 58 of its 60 seconds, and chat tokens that are refreshed after five. */
    async function shortLived(at: ClerkBrowser, page: Page): Promise<void> {
      at.firstTokenAgeSeconds = 58;
      const keys = await createTokenKeys(stack.apiUrl, stack.chatJwtSecret);
      const [userId, app] = [UserId.parse(GRACE.id), AppId.parse("demo")];
      await page.route(
        "**/v1/token",
        async (route) => {
          const claims = { userId, app, name: GRACE.fullName, issuedAt: Date.now(), expiresAt: Date.now() + 6_000 };
          const [token, wsToken] = await Promise.all([
            signChatToken(keys, "rest", claims),
            signChatToken(keys, "ws", claims),
          ]);
          await route.fulfill({ json: { token, wsToken, userId, expiresIn: 6, wsUrl: stack.wsUrl } });
        },
        { times: 1 },
      );
    }
  });

  describe("its docs page", () => {
    let page: Page;
    const complaints: string[] = [];
    const asked: string[] = [];

    beforeAll(async () => {
      page = await browser.newPage();
      page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (request) => asked.push(request.url()));
      await page.goto(`${stack.apiUrl}/api/chats/docs`);
      await page.locator(".opblock").first().waitFor();
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
  });
});

/** When the token in an `Authorization` header ends. */
function endOf(authorization = ""): number {
  const claims = Buffer.from(authorization.split(".")[1] ?? "", "base64url").toString();
  return (JSON.parse(claims) as { exp: number }).exp * 1_000; // as ClerkStandIn signs them
}
