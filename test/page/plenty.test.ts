import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { ChatClient } from "../../client/chat-client.ts";
import type { ChatTokens } from "../../client/types.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { writeHistory } from "./history.ts";
import { describePage, line, times } from "./visitors.ts";

const AT_LEISURE = { timeout: 20_000 };
const MESSAGES = 10_000;
/** More than one socket takes. */
const CHANNELS = LIMITS.roomsPerSocket + 10;
/** A frame this long is a stutter that one sees. The machine of CI has two cores, for everything. */
const LONG_FRAME_MS = 200;

describePage(({ open, room, stack }) => {
  it("scrolls through ten thousand messages smoothly, and stays where one reads when older ones come", async () => {
    await writeHistory(stack(), room(), MESSAGES);
    const ada = await open("Ada");
    await line(ada, `message ${MESSAGES}${" with more words in it".repeat(MESSAGES % 7)}`).waitFor();
    const journey = await scrollToStart(ada.page);
    console.log(
      `ten thousand messages: ${journey.frames} frames, the slowest twentieth over ${Math.round(journey.p95)} ms,`,
      `${journey.longFrames} over ${LONG_FRAME_MS} ms, at most ${journey.mostRows} rows in the document,`,
      `${journey.jumps} jumps in ${journey.arrivals} arrivals of older messages`,
    );
    await ada.page.locator(".log .text").getByText("message 1 with more words in it", { exact: true }).waitFor();
    expect(journey.mostRows).toBeLessThan(120);
    expect(journey.arrivals).toBeGreaterThan(30);
    // None on a calm machine. Where frames come late, one may be looked at before its row is measured: 6 in 50 at a load of 19.
    expect(journey.jumps).toBeLessThan(journey.arrivals / 4);
    expect(journey.longFrames).toBeLessThan(journey.frames / 20);
  });

  it("follows as many channels as one socket takes, and knows what is unread in the others too", async () => {
    const ids = times(CHANNELS, (at) => `${room()}-${String(at + 1).padStart(2, "0")}`);
    const [early = "", shown = "", other = "", visited = ""] = [ids[2], ids[3], ids.at(-2), ids.at(-1)];
    const bob = new ChatClient({ apiUrl: stack().apiUrl, getToken: bobsTokens });
    for (const channelId of ids) await bob.createChannel({ channelId, members: ["ada"] });
    await bob.connect();
    await bob.sendMessage("before she came", early);
    await bob.sendMessage("before she came", visited);

    const ada = await open("Ada");
    const unread = (id: string, count: number) =>
      ada.page.getByRole("link", { name: id }).getByText(`${count} unread`).waitFor();
    await unread(early, 1);
    await unread(visited, 1); // one of those that are not followed
    await expect.poll(() => ada.page.title(), AT_LEISURE).toBe(`(2) #${room()} · Parley`);
    await bob.sendMessage("while she is here", shown);
    await unread(shown, 1);

    await ada.page.getByRole("link", { name: visited }).click();
    await line(ada, "before she came").waitFor();
    await ada.page.getByRole("link", { name: room(), exact: true }).click();
    await ada.page.getByRole("heading", { name: `# ${room()}`, exact: true }).waitFor();
    await bob.sendMessage("after she left", visited);
    await bob.sendMessage("where she has never been", other);
    await unread(visited, 1);
    await unread(other, 1); // asked for, a quarter of a minute later at most
    await expect.poll(() => ada.page.title(), AT_LEISURE).toBe(`(4) #${room()} · Parley`);
    expect((await ada.page.locator(".notice, .banner").allInnerTexts()).join("")).toBe("");
    expect(ada.plug.sent.filter((type) => type === "join_room").length).toBeLessThan(LIMITS.roomsPerSocket);
    expect([ada.plug.opened, ada.complaints]).toEqual([1, []]);
    bob.disconnect();
  });

  async function bobsTokens(): Promise<ChatTokens> {
    const response = await fetch(`${stack().apiUrl}/v1/tokens`, {
      method: "POST",
      headers: { "x-api-key": stack().apiKey, "content-type": "application/json" },
      body: JSON.stringify({ userId: "bob", name: "Bob" }),
    });
    return (await response.json()) as ChatTokens; // the documented answer
  }
});

interface Journey {
  frames: number;
  p95: number;
  longFrames: number;
  mostRows: number;
  /** How often older messages were put before those one sees. */
  arrivals: number;
  /** How often a message that one sees was somewhere else in the next frame, by more than one had scrolled. */
  jumps: number;
}

/** Scrolls up as a wheel does, as far as there is something, and watches every frame. */
function scrollToStart(page: Page): Promise<Journey> {
  return page.evaluate(async (longFrameMs) => {
    const log = document.querySelector<HTMLElement>(".log");
    if (log === null) throw new Error("There is no log");
    // A task after the frame: when what observes sizes has had its say, and the frame is as it was painted.
    const frame = () =>
      new Promise<number>((resolve) => requestAnimationFrame((now) => setTimeout(() => resolve(now), 0)));
    const anchor = () => {
      const middle = log.getBoundingClientRect().top + log.clientHeight / 2;
      const rows = [...log.querySelectorAll<HTMLElement>(".message")];
      const row = rows.find((one) => one.getBoundingClientRect().bottom > middle);
      return row && { row, top: row.getBoundingClientRect().top };
    };
    const spans: number[] = [];
    let [mostRows, arrivals, jumps, still] = [0, 0, 0, 0];
    let before = await frame();
    let height = log.scrollHeight;
    while (still < 120) {
      const seen = anchor();
      const from = log.scrollTop;
      log.scrollTop = from - 600;
      const asked = from - log.scrollTop;
      const now = await frame();
      spans.push(now - before);
      before = now;
      mostRows = Math.max(mostRows, log.querySelectorAll(".message").length);
      const grew = log.scrollHeight - height > 2_000;
      height = log.scrollHeight;
      if (grew) arrivals += 1;
      // Rows that leave the document are no measure; those that stay have moved by what was scrolled.
      if (seen?.row.isConnected === true && Math.abs(seen.row.getBoundingClientRect().top - seen.top - asked) > 8)
        jumps += 1;
      still = log.scrollTop === 0 && !grew ? still + 1 : 0;
    }
    const sorted = spans.toSorted((a, b) => a - b);
    return {
      frames: spans.length,
      p95: sorted[Math.floor(sorted.length * 0.95)] ?? 0,
      longFrames: spans.filter((span) => span > longFrameMs).length,
      mostRows,
      arrivals,
      jumps,
    };
  }, LONG_FRAME_MS);
}
