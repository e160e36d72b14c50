import { expect, it } from "vitest";
import { describePage, untilSent, line, times } from "./visitors.ts";

describePage(({ open, openTwo }) => {
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
    await untilSent(ada);
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
    await untilSent(ada);
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
    await untilSent(ada);
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
});
