import { describe, expect, it } from "vitest";
import { parseClientFrame, AuthFrame, ServerFrame } from "../../protocol/frames.ts";
import { clientPage } from "./pages/client-page.ts";
import { configurationPage } from "./pages/configuration-page.ts";
import { errorsPage } from "./pages/errors-page.ts";
import { CLIENT_EXAMPLES, SERVER_EXAMPLES } from "./pages/examples.ts";
import { CLIENT_FRAMES, protocolPage, SERVER_FRAMES } from "./pages/protocol-page.ts";

describe("generated pages", () => {
  it.each([
    ["docs/client.md", clientPage],
    ["docs/errors.md", errorsPage],
    ["docs/configuration.md", configurationPage],
    ["docs/protocol.md", protocolPage],
  ])("%s is what the code says; npx vitest run test/house -u renews it", async (file, write) => {
    await expect(await write()).toMatchFileSnapshot(`../../${file}`);
  });
});

describe("examples in docs/protocol.md", () => {
  const { auth, ...clientExamples } = CLIENT_EXAMPLES;

  it.each(Object.entries(clientExamples))("S4-33 %s is a frame that a server takes", (type, example) => {
    expect(parseClientFrame(JSON.stringify(example))).toMatchObject({ ok: true, frame: { type } });
  });

  it("S4-33 auth is a first frame that a server takes", () => {
    expect(AuthFrame.parse(auth)).toEqual(auth);
  });

  it.each(Object.entries(SERVER_EXAMPLES))("S4-33 %s is a frame that a client takes, whole", (type, example) => {
    expect(ServerFrame.parse(example)).toEqual(example);
    expect(example).toMatchObject({ type });
  });

  it("shows the frame it stands under", () => {
    for (const [type, { schema }] of Object.entries({ ...CLIENT_FRAMES }))
      expect(schema.safeParse(CLIENT_EXAMPLES[type as keyof typeof CLIENT_EXAMPLES]).success).toBe(true);
    for (const [type, { schema }] of Object.entries({ ...SERVER_FRAMES }))
      expect(schema.safeParse(SERVER_EXAMPLES[type as keyof typeof SERVER_EXAMPLES]).success).toBe(true);
  });
});
