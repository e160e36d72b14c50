import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Stack, startStack } from "../support/stack.ts";
import { findChromium, openBrowser, openWindow, type Window } from "./windows.ts";

const SHOTS = "screenshots";
const chromium = findChromium();
const NO_CHROMIUM = "no Chromium here: apt-get install chromium, or set CHROMIUM_PATH";

let stack: Stack;
let browser: Browser;
let windows: Window[] = [];
// Every test has people and a room of its own, so that none sees another's.
let room = "";

beforeAll(async () => {
  if (chromium === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  stack = await startStack({ TOKEN_RATE_LIMIT: "1000" });
  browser = await openBrowser(chromium);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});
beforeEach(({ skip }) => {
  if (chromium === undefined) skip(NO_CHROMIUM);
  room = `room-${randomUUID()}`;
});
afterEach(async () => {
  for (const window of windows) await window.close();
  windows = [];
});

async function open(name?: string, options?: Parameters<typeof openWindow>[2]): Promise<Window> {
  const window = await openWindow(browser, `${stack.apiUrl}/#${room}`, options);
  windows.push(window);
  if (name !== undefined) await window.enter(name);
  return window;
}

/** Two people in the test's own room, each seeing the other. */
async function openTwo(): Promise<[Window, Window]> {
  const ada = await open("Ada");
  const bob = await open("Bob");
  await here(ada, "Bob").waitFor();
  await here(bob, "Ada").waitFor();
  return [ada, bob];
}

const here = ({ page }: Window, name: string) => page.locator("#people").getByText(name, { exact: true });
const line = ({ page }: Window, text: string) => page.locator("#lines .text").getByText(text, { exact: true });
const times = (count: number, make: (at: number) => string) => Array.from({ length: count }, (_, at) => make(at));

describe("the page", () => {
  it("lets two windows talk, and shows what is sent as sent", async () => {
    const [ada, bob] = await openTwo();
    await ada.say("Hello Bob");
    await line(bob, "Hello Bob").waitFor();
    await bob.say("Hello Ada");
    await line(ada, "Hello Ada").waitFor();
    expect(await ada.texts()).toEqual(["Hello Bob", "Hello Ada"]);
    expect(await bob.texts()).toEqual(["Hello Bob", "Hello Ada"]);
    await ada.page.getByRole("img", { name: "Sent" }).waitFor();
    expect([...ada.complaints, ...bob.complaints]).toEqual([]);
  });

  it("shows who types, and that they stopped", async () => {
    const [ada, bob] = await openTwo();
    await bob.page.getByLabel("Message", { exact: true }).pressSequentially("Hm");
    await ada.page.getByText("Bob is typing…").waitFor();
    await bob.page.getByLabel("Message", { exact: true }).fill("");
    await ada.page.getByText("Bob is typing…").waitFor({ state: "detached" });
    expect(await ada.page.locator("#typing").innerText()).toBe("");
  });

  it("shows who comes and who goes", async () => {
    const ada = await open("Ada");
    const bob = await open("Bob");
    await ada.page.getByText(/^Bob came/).waitFor();
    await here(ada, "Bob").waitFor();
    await bob.close();
    await ada.page.getByText(/^Bob left/).waitFor();
    expect(await here(ada, "Bob").count()).toBe(0);
  });

  it("has the history after a reload, without spending another token", async () => {
    const ada = await open("Ada");
    const exchanges: string[] = [];
    ada.page.on("request", (request) => request.url().endsWith("/v1/token") && exchanges.push(request.method()));
    await ada.say("Kept");
    await ada.page.getByRole("img", { name: "Sent" }).waitFor();
    await ada.page.reload();
    await line(ada, "Kept").waitFor();
    expect(await ada.texts()).toEqual(["Kept"]);
    expect(exchanges).toEqual([]);
  });

  it("fetches older messages when one scrolls up, each once and in order", async () => {
    const all = times(70, (at) => `message ${at}`);
    for (const texts of [all.slice(0, 25), all.slice(25, 50), all.slice(50)]) {
      // Three people, because one may write thirty messages a minute.
      const writer = await open(`Writer ${texts[0]}`);
      for (const text of texts) await writer.say(text);
      await expect.poll(() => writer.page.getByRole("img", { name: "Sent" }).count()).toBe(texts.length);
      await writer.close();
    }
    const reader = await open("Reader");
    await line(reader, "message 69").waitFor();
    expect(await reader.texts()).toEqual(all.slice(20));
    await reader.page.getByRole("button", { name: "Older messages" }).click();
    await line(reader, "message 0").waitFor();
    expect(await reader.texts()).toEqual(all);
  });

  it("M01 shows markup in messages and names as the text it is", async () => {
    const payload = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
    const ada = await open("Ada");
    const eve = await open("<b onmouseover=alert(1)>Eve</b>");
    await eve.say(payload);
    await eve.say("javascript:alert(1)");
    await line(ada, payload).waitFor();
    expect(await ada.page.locator("#lines .author").allInnerTexts()).toEqual(["<b onmouseover=alert(1)>Eve</b>"]);
    expect(await ada.page.locator("#chat :is(#lines, #people) :is(img, script, b, a)").count()).toBe(0);
    expect(await ada.page.title()).not.toContain("owned");
  });

  it("M01 runs under a policy that allows no inline code at all", async () => {
    const page = await fetch(stack.apiUrl);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/default-src '(self|none)'/);
    expect(policy).not.toContain("unsafe-");
    const ada = await open("Ada");
    expect(ada.complaints).toEqual([]);
  });

  it("comes back from a cut connection without loss and without repeats", async () => {
    const [ada, bob] = await openTwo();
    await ada.say("before");
    await line(bob, "before").waitFor();
    ada.plug.isBlocked = true;
    await ada.plug.cut();
    await ada.page.getByText(/Connection lost/).waitFor();
    await ada.say("mine while away");
    await bob.say("theirs while away");
    ada.plug.isBlocked = false;
    await line(ada, "theirs while away").waitFor();
    await line(bob, "mine while away").waitFor();
    await ada.page.locator(".message.sending").waitFor({ state: "detached" });
    expect((await ada.texts()).toSorted()).toEqual(["before", "mine while away", "theirs while away"]);
    expect((await bob.texts()).toSorted()).toEqual(["before", "mine while away", "theirs while away"]);
    expect(await ada.texts()).toEqual(await bob.texts());
  });

  it("sends again what was never acked, and it arrives once", async () => {
    const [ada, bob] = await openTwo();
    ada.plug.losesAnswers = true;
    await ada.say("stored, but nobody said so");
    await line(bob, "stored, but nobody said so").waitFor();
    await ada.plug.cut();
    ada.plug.losesAnswers = false;
    await ada.page.getByRole("img", { name: "Sent" }).waitFor();
    await ada.say("after");
    await line(bob, "after").waitFor();
    expect(ada.plug.lostAcks).toBe(1);
    expect(await bob.texts()).toEqual(["stored, but nobody said so", "after"]);
    expect(await ada.texts()).toEqual(["stored, but nobody said so", "after"]);
  });

  it("keeps an unsent message over a reload", async () => {
    const [ada, bob] = await openTwo();
    ada.plug.isBlocked = true;
    await ada.plug.cut();
    await ada.say("written in the tunnel");
    await ada.page.getByText("Sending…").waitFor();
    await ada.page.reload();
    await ada.page.getByText(/Trying again/).waitFor();
    ada.plug.isBlocked = false;
    await line(bob, "written in the tunnel").waitFor();
    expect(await bob.texts()).toEqual(["written in the tunnel"]);
  });

  it("sends again by itself when an ack does not come, and it arrives once", async () => {
    const [ada, bob] = await openTwo();
    ada.plug.losesAnswers = true;
    await ada.say("is anybody there?");
    await line(bob, "is anybody there?").waitFor();
    await expect.poll(() => ada.plug.lostAcks).toBe(1);
    ada.plug.losesAnswers = false;
    await ada.page.getByRole("img", { name: "Sent" }).waitFor();
    expect(ada.plug.duplicateAcks).toBe(1);
    expect(await ada.texts()).toEqual(["is anybody there?"]);
    expect(await bob.texts()).toEqual(["is anybody there?"]);
  });

  it("says that one is offline, and sends when one is back", async () => {
    const [ada, bob] = await openTwo();
    ada.plug.isBlocked = true;
    await ada.page.context().setOffline(true);
    await ada.plug.cut();
    await ada.page.getByText("You are offline. Messages wait.").waitFor();
    await ada.say("from the tunnel");
    ada.plug.isBlocked = false;
    await ada.page.context().setOffline(false);
    await line(bob, "from the tunnel").waitFor();
    expect(await ada.texts()).toEqual(["from the tunnel"]);
  });

  it("works at the machine's other name too", async () => {
    const url = stack.apiUrl.replace("127.0.0.1", "localhost");
    const ada = await openWindow(browser, `${url}/#${room}`);
    windows.push(ada);
    await ada.enter("Ada");
    await ada.say("here as well");
    await ada.page.getByRole("img", { name: "Sent" }).waitFor();
    expect(ada.complaints).toEqual([]);
  });

  it("asks to sign in again when the tokens it kept are refused", async () => {
    const ada = await open("Ada");
    await ada.page.evaluate(() => {
      const session = JSON.parse(sessionStorage.getItem("parley.session") ?? "{}") as Record<string, unknown>;
      const refused = { ...session, wsToken: String(session["wsToken"]).replace(/[^.]+$/, "c2lnbmF0dXJl") };
      sessionStorage.setItem("parley.session", JSON.stringify(refused));
    });
    await ada.page.reload();
    await ada.page.getByText("Your sign-in no longer holds here. Please sign in again.").waitFor();
    expect(await ada.page.getByLabel("Your name").inputValue()).toBe("Ada");
  });

  it("stays away after a code that says stop, until asked to connect again", async () => {
    const ada = await open("Ada");
    await ada.plug.end(4507);
    await ada.page.getByText(/too many windows/).waitFor();
    expect(ada.plug.opened).toBe(1);
    await ada.page.getByRole("button", { name: "Connect again" }).click();
    await ada.page.getByText("Connected", { exact: true }).waitFor();
    expect(ada.plug.opened).toBe(2);
  });

  it("gets new tokens after 4001 and comes back", async () => {
    const ada = await open("Ada");
    const exchange = ada.page.waitForRequest(/\/v1\/token$/);
    await ada.plug.end(4001);
    await exchange;
    await ada.page.getByText("Connected", { exact: true }).waitFor();
    await ada.say("still here");
    await ada.page.getByRole("img", { name: "Sent" }).waitFor();
  });

  it("says that a message is not sent when the room's limit is hit", async () => {
    const ada = await open("Ada");
    for (const text of times(31, (at) => `fast ${at}`)) await ada.say(text);
    await ada.page.getByText(/Not sent: you are writing too fast/).waitFor();
    expect(await ada.page.locator(".message.failed .text").allInnerTexts()).toEqual(["fast 30"]);
    await ada.page.getByRole("button", { name: "Delete" }).click();
    await line(ada, "fast 30").waitFor({ state: "detached" });
    expect(await ada.page.locator(".message").count()).toBe(30);
  });

  it("counts what is left, and does not send what is too long", async () => {
    const ada = await open("Ada");
    await ada.say("x".repeat(1_001));
    await ada.page.getByText("1 too many").waitFor();
    await ada.say("x".repeat(1_000));
    await ada.page.getByRole("img", { name: "Sent" }).waitFor();
    expect(await ada.texts()).toEqual(["x".repeat(1_000)]);
  });

  it("joins another room on the same socket and keeps an eye on the first", async () => {
    const [ada, bob] = await openTwo();
    const other = `other-${room.slice(5, 20)}`;
    await ada.page.getByLabel("Join another room").fill(other);
    await ada.page.keyboard.press("Enter");
    await ada.page.getByRole("heading", { name: `# ${other}` }).waitFor();
    await ada.page.getByText("Nobody has written here yet.").waitFor();
    await bob.say("are you there?");
    await ada.page.getByText("1 new").waitFor();
    expect(ada.plug.opened).toBe(1);
    await ada.page.getByRole("link", { name: room }).click();
    await line(ada, "are you there?").waitFor();
  });

  it("turns away from a room that cannot be joined, and says so", async () => {
    const ada = await open("Ada");
    await ada.page.getByLabel("Join another room").fill("admin");
    await ada.page.keyboard.press("Enter");
    await ada.page
      .getByRole("alert")
      .getByText(/You cannot join “admin”/)
      .waitFor();
    await ada.page.getByRole("heading", { name: `# ${room}` }).waitFor();
    await ada.say("here instead");
    await ada.page.getByRole("img", { name: "Sent" }).waitFor();
  });

  it("says that the server cannot be reached, at the door and later", async () => {
    const ada = await open("Ada");
    ada.plug.isBlocked = true;
    await ada.page.route("**/healthz", (route) => route.abort());
    await ada.plug.cut();
    await ada.page.getByText("The server cannot be reached. Trying again…").waitFor();
    await ada.page.getByRole("button", { name: "Sign out" }).click();
    await ada.page.route("**/v1/sign-in", (route) => route.abort());
    await ada.page.reload();
    await ada.page.getByText(/cannot be reached/).waitFor();
    await ada.page.unroute("**/v1/sign-in");
    await ada.page.getByRole("button", { name: "Try again" }).click();
    await ada.page.getByLabel("Your name").waitFor();
  });

  it("says when to come back after too many sign-ins", async () => {
    const ada = await open();
    await ada.page.route("**/v1/token", (route) =>
      route.fulfill({
        status: 429,
        headers: { "retry-after": "840" },
        json: { code: "rate_limited", detail: "Too many" },
      }),
    );
    await ada.page.getByLabel("Your name").fill("Ada");
    await ada.page.keyboard.press("Enter");
    await ada.page.getByText("Too many requests. Try again in 14 minutes.").waitFor();
  });

  it.each([
    ["clerk", "People sign in to this deployment with Clerk"],
    ["none", "No identity provider is configured here"],
  ])("explains itself where sign-in is by %s", async (provider, text) => {
    const ada = await open();
    await ada.page.route("**/v1/sign-in", (route) =>
      route.fulfill({ json: { provider, issuer: "https://issuer.example" } }),
    );
    await ada.page.reload();
    await ada.page.getByText(text).waitFor();
    expect(await ada.page.getByLabel("Your name").isVisible()).toBe(false);
  });

  it("can be used by keyboard alone, and names its parts", async () => {
    const ada = await open();
    await ada.page.locator("#name:focus").waitFor();
    await ada.page.keyboard.type("Ada");
    await ada.page.keyboard.press("Enter");
    await ada.page.getByText("Connected", { exact: true }).waitFor();
    await ada.page.keyboard.type("typed at once");
    await ada.page.keyboard.press("Enter");
    await ada.page
      .getByRole("log", { name: `# ${room}` })
      .getByText("typed at once")
      .waitFor();
    await ada.page.keyboard.press("Shift+Tab");
    expect(await ada.page.evaluate(() => document.activeElement?.id)).toBe("log");
    for (const role of ["heading", "status", "log", "complementary", "main"] as const)
      expect(await ada.page.getByRole(role).first().isVisible()).toBe(true);
  });

  it.each([
    ["desktop-light", { colorScheme: "light" }],
    ["desktop-dark", { colorScheme: "dark" }],
    ["phone-light", { colorScheme: "light", viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
    ["phone-dark", { colorScheme: "dark", viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
  ] as const)("fits its window and the colours asked for: %s", async (name, options) => {
    const bob = await open("Bob");
    const ada = await open(undefined, options);
    await ada.page.screenshot({ path: `${SHOTS}/${name}-sign-in.png` });
    await ada.enter("Ada");
    await bob.say("Good morning! Did everything arrive that I sent from the train?");
    await line(ada, "Good morning! Did everything arrive that I sent from the train?").waitFor();
    await ada.say(
      "All of it, in order, and once. Even aVeryLongWordThatGoesOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOn.",
    );
    await ada.page.getByRole("img", { name: "Sent" }).waitFor();
    await ada.page.screenshot({ path: `${SHOTS}/${name}-room.png` });
    const { scrollWidth, clientWidth, back } = await ada.page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      clientWidth: document.documentElement.clientWidth,
      back: getComputedStyle(document.body).backgroundColor,
    }));
    expect(scrollWidth).toBe(clientWidth);
    expect(back).toBe(options.colorScheme === "dark" ? "rgb(14, 20, 22)" : "rgb(244, 246, 246)");
    if (!name.startsWith("phone")) return;
    await ada.page.getByRole("button", { name: "Rooms and people" }).click();
    await here(ada, "Bob").waitFor();
    await ada.page.screenshot({ path: `${SHOTS}/${name}-people.png` });
  });
});
