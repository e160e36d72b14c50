import { describe, expect, it, vi } from "vitest";
import { gateway, openGatewayForEachTest } from "./each-gateway.ts";
import type { FakeSocket } from "./fake-sockets.ts";

openGatewayForEachTest(1);

const member = (userId: string) => ({ userId, username: userId.toUpperCase(), status: "online" });
const presences = (client: FakeSocket) =>
  client.ofType("presence").map(({ userId, status }) => `${String(userId)} ${String(status)}`);

describe("who is here, after a room broke", () => {
  const here = (...users: string[]) => ({ memberCount: users.length, members: users.map(member) });

  it("X04 tells who came meanwhile at once, and who went when they had time to come back", async () => {
    const client = await gateway.enter();
    gateway.room("lobby").letIn(here("alice", "bob", "carol"));
    gateway.room("lobby").hangUp(1006);
    await gateway.rejoined(here("alice", "dave"));
    expect(presences(client)).toEqual(["dave online"]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(presences(client)).toEqual(["dave online", "bob offline", "carol offline"]);
    expect(client.ofType("presence").at(-1)).toMatchObject({ username: "CAROL", roomId: "lobby" });
    const lastSeen = "2026-11-21T08:00:10.000Z";
    gateway.room("lobby").say({ type: "presence", roomId: "lobby", ...member("bob"), lastSeen });
    expect(presences(client).at(-1)).toBe("bob online");
  });

  it("X02 says nothing of those who only came back a little later", async () => {
    const client = await gateway.enter();
    gateway.room("lobby").letIn(here("alice", "bob"));
    gateway.room("lobby").hangUp(1006);
    const again = await gateway.rejoined(here("alice"));
    again.say({ type: "presence", roomId: "lobby", ...member("bob"), lastSeen: "2026-11-21T08:00:01.000Z" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(presences(client)).toEqual([]);
  });

  it("remembers what presence frames told", async () => {
    const client = await gateway.enter();
    const lobby = gateway.room("lobby");
    lobby.letIn(here("alice", "bob"));
    const lastSeen = "2026-11-21T08:00:01.000Z";
    lobby.say({ type: "presence", roomId: "lobby", ...member("erin"), lastSeen });
    lobby.say({ type: "presence", roomId: "lobby", ...member("bob"), status: "offline", lastSeen });
    lobby.hangUp(1006);
    await gateway.rejoined(here("alice", "erin"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(presences(client)).toEqual(["erin online", "bob offline"]);
  });

  it("remembers what gathered changes told, and gathers what it tells itself", async () => {
    const client = await gateway.enter();
    const lobby = gateway.room("lobby");
    lobby.letIn(here("alice", "bob"));
    const lastSeen = "2026-11-21T08:00:01.000Z";
    const come = ["c1", "c2", "c3", "c4"].map((user) => ({ ...member(user), lastSeen }));
    const changes = [...come, { ...member("bob"), status: "offline", lastSeen }];
    const gathered = { type: "presence_changes", roomId: "lobby", memberCount: 5, changes };
    lobby.say(gathered);
    expect(client.ofType("presence_changes")).toEqual([gathered]);
    lobby.hangUp(1006);
    await gateway.rejoined(here("alice", "bob"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(presences(client)).toEqual(["bob online"]);
    const told = client.ofType("presence_changes").slice(1);
    expect(told).toMatchObject([{ roomId: "lobby", memberCount: 2, changes: [{}, {}, {}, {}] }]);
    expect(JSON.stringify(told)).toMatch(/c1.*offline.*c2.*offline.*c3.*offline.*c4.*offline/);
  });

  it("X06 tells of a crowd how many there are", async () => {
    const client = await gateway.enter();
    gateway.room("lobby").letIn({ memberCount: 300, members: [member("alice")] });
    gateway.room("lobby").hangUp(1006);
    await gateway.rejoined({ memberCount: 310, members: [member("bob")] });
    expect(client.ofType("presence_count")).toEqual([
      { type: "presence_count", roomId: "lobby", memberCount: 310, sample: [member("bob")] },
    ]);
    expect(presences(client)).toEqual([]);
  });
});
