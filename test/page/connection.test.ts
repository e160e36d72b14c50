import { expect, it } from "vitest";
import { createTokenKeys, signChatToken } from "../../domain/chat-tokens.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import { describePage, line, times, untilSent } from "./visitors.ts";

const AT_LEISURE = { timeout: 20_000 };

describePage(({ open, openTwo, stack }) => {
  it("comes back from a cut connection to exactly what it missed", async () => {
    const [ada, bob] = await openTwo();
    await ada.say("before");
    await line(bob, "before").waitFor();
    ada.plug.isBlocked = true;
    await ada.plug.cut();
    await ada.page.getByText(/Connection lost/).waitFor();
    await ada.say("mine while away");
    const missed = times(5, (at) => `theirs while away ${at}`);
    for (const text of missed) await bob.say(text);
    ada.plug.isBlocked = false;
    await line(ada, missed.at(-1) ?? "").waitFor();
    await line(bob, "mine while away").waitFor();
    await ada.page.locator(".message.sending").waitFor({ state: "detached" });
    await expect.poll(() => ada.texts(), AT_LEISURE).toEqual(["before", ...missed, "mine while away"]);
    expect(await bob.texts()).toEqual(await ada.texts());
    await ada.page.getByText(/Connection lost|Connecting again/).waitFor({ state: "detached" });
  });

  it("loses nothing when the rooms' process is killed in mid-conversation", async () => {
    const [ada, bob] = await openTwo();
    await ada.say("before the crash");
    await line(bob, "before the crash").waitFor();
    const killed = stack().rooms.kill();
    for (const text of times(3, (at) => `Ada in the dark ${at}`)) await ada.say(text);
    for (const text of times(3, (at) => `Bob in the dark ${at}`)) await bob.say(text);
    await killed;
    await ada.say("Ada after the kill");
    await stack().rooms.start();
    await bob.say("Bob after the crash");
    const said = [
      "before the crash",
      ...times(3, (at) => `Ada in the dark ${at}`),
      ...times(3, (at) => `Bob in the dark ${at}`),
      "Ada after the kill",
      "Bob after the crash",
    ];
    for (const window of [ada, bob]) {
      await expect.poll(async () => (await window.texts()).toSorted(), { timeout: 60_000 }).toEqual(said.toSorted());
      await expect.poll(() => window.page.locator(".message:is(.sending, .failed)").count(), AT_LEISURE).toBe(0);
    }
    expect(await ada.texts()).toEqual(await bob.texts());
  });

  it("sends again what was never acked, and it arrives once", async () => {
    const [ada, bob] = await openTwo();
    ada.plug.losesAnswers = true;
    await ada.say("stored, but nobody said so");
    await line(bob, "stored, but nobody said so").waitFor();
    await expect.poll(() => ada.plug.lostAcks, AT_LEISURE).toBe(1);
    await ada.plug.cut();
    ada.plug.losesAnswers = false;
    await untilSent(ada);
    await ada.say("after");
    await line(bob, "after").waitFor();
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
    await ada.page.getByText(/Trying again in|Trying again…/).waitFor();
    await line(ada, "written in the tunnel").waitFor();
    ada.plug.isBlocked = false;
    await line(bob, "written in the tunnel").waitFor();
    expect(await bob.texts()).toEqual(["written in the tunnel"]);
  });

  it("says that one is offline, and sends when one is back", async () => {
    const [ada, bob] = await openTwo();
    ada.plug.isBlocked = true;
    await ada.page.context().setOffline(true);
    await ada.plug.cut();
    await ada.page.getByText(/You are offline/).waitFor();
    await ada.say("from the tunnel");
    ada.plug.isBlocked = false;
    await ada.page.context().setOffline(false);
    await line(bob, "from the tunnel").waitFor();
    expect(await ada.texts()).toEqual(["from the tunnel"]);
  });

  it("counts down to the next attempt, and tries at once when asked to", async () => {
    const ada = await open("Ada");
    ada.plug.isBlocked = true;
    await ada.plug.cut();
    // Long enough that it is the button that brings the connection back.
    await ada.page.getByText(/Trying again in ([4-9]|\d\d) s/).waitFor();
    ada.plug.isBlocked = false;
    await ada.page.getByRole("button", { name: "Try now" }).click();
    await ada.page.getByText("Connected", { exact: true }).waitFor();
  });

  it("asks to sign in again when the tokens it kept are refused", async () => {
    const ada = await open("Ada");
    await ada.page.evaluate(() => {
      const kept = sessionStorage.getItem("parley.session") ?? "";
      sessionStorage.setItem("parley.session", kept.replace(/("wsToken":"[^"]*\.)[^."]*"/, '$1c2lnbmF0dXJl"'));
    });
    await ada.page.route("**/session", (route) => route.fulfill({ status: 401, json: { error: "Signed out" } }));
    await ada.page.reload();
    await ada.page.getByText("Your sign-in no longer holds here. Please sign in again.").waitFor();
    expect(await ada.page.getByLabel("Your name").inputValue()).toBe("Ada");
  });

  it("stays away after a code that says stop, says what to do, and connects again when asked to", async () => {
    const ada = await open("Ada");
    const before = ada.plug.opened;
    await ada.plug.end(4507);
    await ada.page.getByText(/too many windows/).waitFor();
    expect(ada.plug.opened).toBe(before);
    await ada.page.getByRole("button", { name: "Connect again" }).click();
    await ada.page.getByText("Connected", { exact: true }).waitFor();
    expect(ada.plug.opened).toBe(before + 1);
  });

  it("swaps tokens before they end, and nobody notices", async () => {
    const ada = await open();
    const short = await shortTokens(6_000);
    await ada.page.route("**/v1/token", (route) => route.fulfill({ json: short }), { times: 1 });
    await ada.enter("Ada");
    await ada.say("with the old ones");
    await untilSent(ada);
    await expect.poll(() => ada.plug.sent.includes("refresh"), AT_LEISURE).toBe(true);
    await expect.poll(() => Date.now() > short.endsAt, AT_LEISURE).toBe(true);
    await ada.say("with the new ones");
    await untilSent(ada);
    const next = ada.page.waitForResponse(/\/v1\/channels/);
    await ada.page.getByRole("link", { name: "lobby" }).click();
    expect((await next).status()).toBe(200);
    expect(ada.plug.opened).toBe(1);
    expect(ada.complaints).toEqual([]);
    // And when the server is the first to notice. Not right after the swap: tokens that are refused at once are final.
    await expect.poll(() => Date.now() > short.endsAt + 6_000, AT_LEISURE).toBe(true);
    const exchange = ada.page.waitForRequest(/\/v1\/token$/);
    await ada.plug.end(4001);
    await exchange;
    await ada.page.getByText("Connected", { exact: true }).waitFor();
  });

  it("says that one writes too fast, and sends the rest by itself", async () => {
    const ada = await open("Ada");
    for (const text of times(31, (at) => `fast ${at}`)) await ada.say(text);
    await ada.page
      .getByRole("alert")
      .getByText(/You are writing too fast/)
      .waitFor();
    await ada.page.locator(".message.sending").getByText("fast 30", { exact: true }).waitFor();
    expect(await ada.page.locator(".message.failed").count()).toBe(0);
  });

  it("says that the server cannot be reached, and looks again when asked to", async () => {
    const ada = await open();
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

  /** What `POST /v1/token` answers, but with a short life. */
  async function shortTokens(lifeMs: number) {
    const keys = await createTokenKeys(stack().apiUrl, stack().chatJwtSecret);
    const [userId, app] = [UserId.parse("ada"), AppId.parse("demo")];
    const claims = { userId, app, name: "Ada", issuedAt: Date.now(), expiresAt: Date.now() + lifeMs };
    const [token, wsToken] = [await signChatToken(keys, "rest", claims), await signChatToken(keys, "ws", claims)];
    return { token, wsToken, userId, expiresIn: lifeMs / 1_000, wsUrl: stack().wsUrl, endsAt: claims.expiresAt };
  }
});
