import { mkdirSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { findFaults } from "./axe.ts";
import { describePage, here, line, times, untilSent } from "./visitors.ts";

const SHOTS = "screenshots";
const AT_LEISURE = { timeout: 15_000 };
beforeAll(() => void mkdirSync(SHOTS, { recursive: true }));

describePage(({ open, openTwo, room, stack }) => {
  it("lets two windows talk, and shows what is sent as sent", async () => {
    const [ada, bob] = await openTwo();
    await ada.say("Hello Bob");
    await line(bob, "Hello Bob").waitFor();
    await bob.say("Hello Ada");
    await line(ada, "Hello Ada").waitFor();
    expect(await ada.texts()).toEqual(["Hello Bob", "Hello Ada"]);
    expect(await bob.texts()).toEqual(["Hello Bob", "Hello Ada"]);
    await untilSent(ada);
    expect([...ada.complaints, ...bob.complaints]).toEqual([]);
  });

  it("groups messages by author and day, and says who has read the newest of one's own", async () => {
    const [ada, bob] = await openTwo();
    await ada.say("one");
    await ada.say("two");
    await line(bob, "two").waitFor();
    await ada.page.getByText("Read by Bob").waitFor();
    expect(await bob.page.locator(".log .author").allInnerTexts()).toEqual(["Ada"]);
    expect(await bob.page.locator(".log .day").allInnerTexts()).toEqual(["Today"]);
  });

  it("shows who types, and that they stopped", async () => {
    const [ada, bob] = await openTwo();
    await bob.page.getByLabel("Message", { exact: true }).pressSequentially("Hm");
    await ada.page.getByText("Bob is typing…").waitFor();
    await bob.page.getByLabel("Message", { exact: true }).fill("");
    await ada.page.getByText("Bob is typing…").waitFor({ state: "detached" });
    expect(await ada.page.locator(".typing").innerText()).toBe("");
  });

  it("shows who comes and who goes", async () => {
    const ada = await open("Ada");
    const bob = await open("Bob");
    await here(ada, "Bob").waitFor();
    expect(await ada.page.locator(".people li.online").count()).toBe(2);
    await bob.close();
    await ada.page.locator(".people li.online").getByTitle("Bob").waitFor({ state: "detached" });
    expect(await ada.page.locator(".people li.online").count()).toBe(1);
  });

  it("has the history after a reload, without spending another token", async () => {
    const ada = await open("Ada");
    const exchanges: string[] = [];
    ada.page.on("request", (request) => request.url().endsWith("/v1/token") && exchanges.push(request.method()));
    await ada.say("Kept");
    await untilSent(ada);
    await ada.page.reload();
    await line(ada, "Kept").waitFor();
    expect(await ada.texts()).toEqual(["Kept"]);
    expect(exchanges).toEqual([]);
  });

  it("M01 shows markup in messages and names as the text it is, and links only what is a web address", async () => {
    const payload = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
    const ada = await open("Ada");
    const eve = await open("<b onmouseover=alert(1)>Eve</b>");
    await eve.say(payload);
    await eve.say("javascript:alert(1) data:text/html,<script>alert(1)</script>");
    await eve.say('https://example.com/?q="><script>alert(1)</script> http://user:pass@example.com');
    await line(ada, payload).waitFor();
    await expect.poll(() => ada.texts(), AT_LEISURE).toHaveLength(3);
    const authors = await ada.page.locator(".log .author").allInnerTexts();
    expect(new Set(authors)).toEqual(new Set(["<b onmouseover=alert(1)>Eve</b>"]));
    expect(await ada.page.locator(".chat :is(img:not([src='/favicon.svg']), script, b, iframe)").count()).toBe(0);
    const links = await ada.page.locator(".log a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    expect(links).toEqual(["https://example.com/?q="]);
    expect(await ada.page.title()).not.toContain("owned");
  });

  it("M01 runs under a policy that allows no inline code at all", async () => {
    const page = await fetch(stack().apiUrl);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/default-src '(self|none)'/);
    expect(policy).not.toContain("unsafe-");
    const ada = await open("Ada");
    expect(ada.complaints).toEqual([]);
  });

  it("works at the machine's other name too", async () => {
    const url = stack().apiUrl.replace("127.0.0.1", "localhost");
    const ada = await open("Ada", {}, url);
    await ada.say("here as well");
    await untilSent(ada);
    expect(ada.complaints).toEqual([]);
  });

  it("counts what is left, and does not send what is too long", async () => {
    const ada = await open("Ada");
    await ada.say("x".repeat(1_001));
    await ada.page.getByText("1 too many").waitFor();
    await ada.say("x".repeat(1_000));
    await untilSent(ada);
    expect(await ada.texts()).toEqual(["x".repeat(1_000)]);
  });

  it("keeps what was refused, with its reason, to be sent again or taken back", async () => {
    const [ada, bob] = await openTwo();
    const moderate = async (blocked: string[]) => {
      const { ok } = await fetch(`${stack().apiUrl}/v1/channels/${room()}/moderation`, {
        method: "PUT",
        headers: { "x-api-key": stack().apiKey, "content-type": "application/json" },
        body: JSON.stringify({ mode: "block", blocked }),
      });
      expect(ok).toBe(true);
    };
    await moderate(["wibble"]);
    await ada.say("wibble one");
    await ada.say("wibble two");
    const failed = ada.page.locator(".message.failed");
    await expect.poll(() => failed.count(), AT_LEISURE).toBe(2);
    expect(await failed.first().innerText()).toContain("Not sent:");
    await ada.say("nothing wrong with this");
    await line(bob, "nothing wrong with this").waitFor();
    await failed.last().getByRole("button", { name: "Delete" }).click();
    await moderate([]);
    await failed.getByRole("button", { name: "Send again" }).click();
    await line(bob, "wibble one").waitFor();
    await expect.poll(() => ada.texts(), AT_LEISURE).toEqual(["nothing wrong with this", "wibble one"]);
    expect(await failed.count()).toBe(0);
    expect(await bob.texts()).toEqual(["nothing wrong with this", "wibble one"]);
  });

  it("joins another channel on the same socket, counts what is unread in the first, and marks where it began", async () => {
    // People who are in no other channel, so that the tab counts only this one.
    const [ada, bob] = [await open("Grace"), await open("Heidi")];
    const other = `other-${room().slice(5, 20)}`;
    await ada.say("before I go");
    await line(bob, "before I go").waitFor();
    await ada.page.getByRole("button", { name: "Add a channel" }).click();
    await ada.page.getByLabel("Name").fill(other);
    await ada.page.getByRole("button", { name: "Join" }).click();
    await ada.page.getByRole("heading", { name: `# ${other}` }).waitFor();
    await ada.page.getByText(/Nobody has written in/).waitFor();
    await bob.say("are you there?");
    await bob.say("Grace?");
    const first = ada.page.getByRole("navigation").getByRole("link", { name: room() });
    await first.getByText("2 unread").waitFor();
    expect(await ada.page.title()).toBe(`(2) #${other} · Parley`);
    expect(ada.plug.opened).toBe(1);
    await first.click();
    await line(ada, "are you there?").waitFor();
    await ada.page.locator(".new-line").waitFor();
    await expect.poll(() => ada.page.title(), AT_LEISURE).toBe(`#${room()} · Parley`);
  });

  it("creates a channel for those who are invited, and turns away everybody else", async () => {
    const [ada, bob] = await openTwo();
    const secret = `Secret plans ${room().slice(5, 13)}`;
    await ada.page.getByRole("button", { name: "Add a channel" }).click();
    await ada.page.getByLabel("Name").fill(secret);
    await ada.page.getByLabel("Only for people who are invited").check();
    await ada.page.getByLabel("Whom to invite").fill("carol");
    await ada.page.getByRole("button", { name: "Create" }).click();
    await ada.page.getByRole("heading", { name: `# ${secret}` }).waitFor();
    await ada.say("only for Carol");
    await untilSent(ada);
    const id = secret.toLowerCase().replaceAll(" ", "-");
    await bob.page.evaluate((hash) => void (location.hash = hash), id);
    await bob.page.getByRole("alert").getByText("You cannot join").waitFor();
    const carol = await open("Carol");
    await carol.page.getByRole("link", { name: secret }).click();
    await line(carol, "only for Carol").waitFor();
    await bob.page.getByRole("button", { name: "Go to # lobby" }).click();
    await bob.page.getByText("Connected", { exact: true }).waitFor();
  });

  it.each([
    ["oidc", "People sign in to this deployment with your identity provider"],
    ["none", "No identity provider is configured here"],
  ])("explains itself where sign-in is by %s", async (provider, text) => {
    const ada = await open();
    await ada.page.route("**/v1/sign-in", (route) =>
      route.fulfill({ json: { provider, issuer: provider === "none" ? null : "https://issuer.example" } }),
    );
    await ada.page.reload();
    await ada.page.getByText(text).waitFor();
    expect(await ada.page.getByLabel("Your name").isVisible()).toBe(false);
  });

  it("can be used by keyboard alone", async () => {
    const ada = await open();
    const { keyboard } = ada.page;
    await ada.page.locator("#name:focus").waitFor();
    await keyboard.type("Ada");
    await keyboard.press("Enter");
    await ada.page.getByText("Connected", { exact: true }).waitFor();
    await keyboard.type("typed at once");
    await keyboard.press("Shift+Enter");
    await keyboard.type("on two lines");
    await keyboard.press("Enter");
    await line(ada, "typed at once\non two lines").waitFor();
    await untilSent(ada);
    const focused = () =>
      ada.page.evaluate(() => document.activeElement?.getAttribute("role") ?? document.activeElement?.id);
    await keyboard.press("Shift+Tab");
    expect(await focused()).toBe("log");
    await keyboard.press("Escape");
    expect(await focused()).toBe("text");
    const skip = ada.page.getByRole("button", { name: "Skip to writing" });
    await skip.focus();
    expect(await skip.boundingBox()).toMatchObject({ y: 12 });
    await keyboard.press("Enter");
    expect(await focused()).toBe("text");
    await ada.page.getByRole("button", { name: "Add a channel" }).focus();
    await keyboard.press("Enter");
    await ada.page.getByRole("dialog", { name: "Add a channel" }).waitFor();
    await keyboard.press("Escape");
    expect(await ada.page.evaluate(() => document.activeElement?.textContent)).toBe("Add a channel");
  });

  it("tells readers of the screen what others write, in one sentence for many messages", async () => {
    const [ada, bob] = await openTwo();
    const region = ada.page.locator(".reading [aria-live=polite]");
    expect(await ada.page.getByRole("log", { name: `# ${room()}` }).getAttribute("aria-live")).toBe("off");
    await bob.say("first");
    await expect.poll(() => region.textContent(), AT_LEISURE).toBe("Bob: first");
    for (const text of times(5, (at) => `more ${at}`)) await bob.say(text);
    await ada.say("and mine");
    await expect.poll(() => region.textContent(), AT_LEISURE).toBe("5 new messages from Bob");
  });

  it("has a switch for light and dark that is kept", async () => {
    const ada = await open("Ada", { colorScheme: "light" });
    const back = () => ada.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await back()).toBe("rgb(255, 255, 255)");
    await ada.page.getByRole("radio", { name: "Dark" }).check();
    expect(await back()).toBe("rgb(18, 24, 27)");
    await ada.page.reload();
    await ada.page.getByText("Connected", { exact: true }).waitFor();
    expect(await back()).toBe("rgb(18, 24, 27)");
    await ada.page.getByRole("radio", { name: "As the device" }).check();
    expect(await back()).toBe("rgb(255, 255, 255)");
  });

  it.each([
    ["desktop-light", { colorScheme: "light" }],
    ["desktop-dark", { colorScheme: "dark" }],
    ["phone-light", { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
    ["phone-dark", { colorScheme: "dark", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ] as const)("fits its window, and keeps nobody out: %s", async (name, options) => {
    const isPhone = name.startsWith("phone");
    const bob = await open("Bob");
    const ada = await open(undefined, options);
    const look = async (view: string): Promise<void> => {
      await ada.page.screenshot({ path: `${SHOTS}/${name}-${view}.png`, animations: "disabled" });
      expect(await findFaults(ada.page)).toEqual([]);
      const widths = await ada.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0);
    };
    await look("1-sign-in");
    await ada.enter("Ada Lovelace");
    await ada.page.getByText(/Nobody has written in/).waitFor();
    await look("2-empty");
    await bob.say("Good morning! Did everything arrive that I sent from the train?");
    await line(ada, "Good morning! Did everything arrive that I sent from the train?").waitFor();
    await ada.say("All of it, in order, and once. The minutes are at https://example.com/minutes");
    await ada.say(
      "Even Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftspräsidentenhut.",
    );
    await untilSent(ada);
    await bob.page.getByLabel("Message", { exact: true }).pressSequentially("So");
    await ada.page.getByText("Bob is typing…").waitFor();
    await ada.page.getByText("Read by Bob").waitFor();
    await look("3-room");
    if (isPhone) {
      await ada.page.getByRole("button", { name: "Channels" }).click();
      await ada.page.getByRole("dialog", { name: "Channels" }).waitFor();
      await look("4-channels");
    }
    await ada.page.getByRole("button", { name: "Add a channel" }).click();
    await ada.page.getByLabel("Only for people who are invited").check();
    await look("5-add-channel");
    await ada.page.goto(`${stack().apiUrl}/status`);
    await ada.page.locator(".verdict:is(.healthy, .degraded)").waitFor();
    await ada.page.getByText("Signs a token and verifies it").waitFor();
    await ada.page.locator(".tile.healthy").getByText("Socket of Ada Lovelace").waitFor();
    await expect
      .poll(() => ada.page.locator(".tile", { hasText: "People in your channels" }).innerText(), AT_LEISURE)
      .toMatch(/[1-9]/);
    await look("6-status");
    expect(ada.complaints).toEqual([]);
  });
});
