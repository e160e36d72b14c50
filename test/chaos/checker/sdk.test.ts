import { expect, it } from "vitest";
import { judge } from "./check.ts";
import { Story } from "./story.ts";

/** Ann's app uses an SDK, Bob speaks the protocol himself. */
function begin(): Story {
  const story = new Story();
  story.come("ann");
  story.come("bob");
  story.write({ kind: "client", client: "ann", user: "user-ann", role: "member", sdk: true });
  story.say("bob", "b-000001");
  return story;
}

/** Whom a history accuses of what. */
function accused(story: Story): string[] {
  return judge(story.end()).flatMap(({ name, violations }) => violations.map(({ client }) => `${client}: ${name}`));
}

it("forgives doubled frames to who reads them, but not to an SDK that tells its app of them", () => {
  const story = begin();
  story.fault({ name: "frames_doubled", mangles: true }, () => {
    const { n } = story.say("bob", "b-000002");
    story.deliver("bob", n);
    story.deliver("ann", n);
  });
  expect(accused(story)).toEqual(["ann: streams have no gap and no repeat"]);
});

it("accuses an app that shows a gap", () => {
  const story = begin();
  story.say("bob", "b-000002");
  story.say("bob", "b-000003");
  story.shows("ann", [0, 2]);
  expect(accused(story)).toEqual(["ann: an app shows every message once"]);
});

it("accuses an app that shows as on its way what was acked", () => {
  const story = begin();
  const { n } = story.say("ann", "a-000001");
  story.shows("ann", [0, n], ["a-000001"]);
  expect(accused(story)).toEqual(["ann: an app shows every message once"]);
});

it("accuses an app that does not show what it was told of", () => {
  const story = begin();
  story.say("bob", "b-000002");
  story.shows("ann", [0]);
  expect(accused(story)).toEqual(["ann: an app shows every message once"]);
});
