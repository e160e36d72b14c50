import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

// What PartyKit's command wants to hear: which logins there are, and that the upload was taken.
const FLAGS = { defaultLoginMethod: "github", supportedLoginMethods: ["clerk", "github"] };
const TAKEN = { result: { is_initial_deploy: false } };

/**
 * A place for `partykit deploy` to deploy to that keeps nothing. PartyKit has no dry run of its own; this way its real
 * command bundles the rooms and makes its upload, without an account and without a network.
 *
 * @returns How many bytes were uploaded.
 */
export async function rehearse(deploy: (environment: Record<string, string>) => Promise<void>): Promise<number> {
  let uploaded = 0;
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => (uploaded += chunk.length));
    request.on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(request.url === "/flags" ? FLAGS : TAKEN));
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const home = await mkdtemp(join(tmpdir(), "parley-rehearsal-")); // the command keeps notes there
  try {
    // Of its two kinds of login this is the one that asks nobody whether it is real.
    const login = { PARTYKIT_TOKEN: "", GITHUB_LOGIN: "rehearsal", GITHUB_TOKEN: "rehearsal" };
    await deploy({ ...login, HOME: home, PARTYKIT_API_BASE: `http://127.0.0.1:${port}` });
    return uploaded;
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(home, { recursive: true, force: true });
  }
}
