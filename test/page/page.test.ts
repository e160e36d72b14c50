import { mkdirSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { describePage, here, untilSent, line, times } from "./visitors.ts";

const SHOTS = "screenshots";
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
    await untilSent(ada);
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
    // One heading or two: "came" may be told between her messages.
    const authors = await ada.page.locator("#lines .author").allInnerTexts();
    expect(new Set(authors)).toEqual(new Set(["<b onmouseover=alert(1)>Eve</b>"]));
    expect(await ada.page.locator("#chat :is(#lines, #people) :is(img, script, b, a)").count()).toBe(0);
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

  it("joins another room on the same socket and keeps an eye on the first", async () => {
    const [ada, bob] = await openTwo();
    const other = `other-${room().slice(5, 20)}`;
    await ada.page.getByLabel("Join another room").fill(other);
    await ada.page.keyboard.press("Enter");
    await ada.page.getByRole("heading", { name: `# ${other}` }).waitFor();
    await ada.page.getByText("Nobody has written here yet.").waitFor();
    await bob.say("are you there?");
    await ada.page.getByText("1 new").waitFor();
    expect(ada.plug.opened).toBe(1);
    await ada.page.getByRole("link", { name: room() }).click();
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
    await ada.page.getByRole("heading", { name: `# ${room()}` }).waitFor();
    await ada.say("here instead");
    await untilSent(ada);
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
      .getByRole("log", { name: `# ${room()}` })
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
    await untilSent(ada);
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
