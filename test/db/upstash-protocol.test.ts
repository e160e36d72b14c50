import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Redis as UpstashRedis } from "@upstash/redis/cloudflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Command, createRedis } from "../../db/upstash.ts";

interface Received {
  method: string | undefined;
  path: string | undefined;
  authorization: string | undefined;
  body: unknown;
}

/** Our client is held to what Upstash's own sends, command by command. */
describe("what goes to Upstash", () => {
  let url = "";
  let received: Received | undefined;
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const { method, url: path, headers } = request;
      received = { method, path, authorization: headers.authorization, body: JSON.parse(text) as unknown };
      response.setHeader("content-type", "application/json");
      response.end(path === "/pipeline" ? '[{"result":1},{"result":1}]' : '{"result":[]}');
    });
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  const theirs = () =>
    new UpstashRedis({
      url,
      token: "secret",
      retry: { retries: 0 },
      responseEncoding: false,
      enableAutoPipelining: false,
    });
  const ours = () => createRedis({ url: `${url}/`, token: "secret" });
  const receivedAfter = async (work: Promise<unknown>) => {
    await work;
    return received;
  };

  const cases: [Command, () => Promise<unknown>][] = [
    [["ping"], () => theirs().ping()],
    [["get", "a:b"], () => theirs().get("a:b")],
    [["set", "k", '{"zwölf":"👋"}', "ex", 60], () => theirs().set("k", '{"zwölf":"👋"}', { ex: 60 })],
    [["hgetall", "k"], () => theirs().hgetall("k")],
    [["evalsha", "abc", 2, "k1", "k2", 10, 1.5], () => theirs().evalsha("abc", ["k1", "k2"], [10, 1.5])],
    [["eval", "return 1", 1, "k", 10], () => theirs().eval("return 1", ["k"], [10])],
  ];
  it.each(cases)("is the same for %j as from @upstash/redis", async (command, send) => {
    const wanted = await receivedAfter(send());
    expect(wanted).toMatchObject({ method: "POST", path: "/", authorization: "Bearer secret" });
    expect(await receivedAfter(ours().send(command))).toEqual(wanted);
  });

  it("is the same for a pipeline", async () => {
    const pipeline = theirs().pipeline();
    const wanted = await receivedAfter(pipeline.hset("k", { a: 1, b: 2 }).expire("k", 60).exec());
    const commands: Command[] = [
      ["hset", "k", "a", 1, "b", 2],
      ["expire", "k", 60],
    ];
    expect(await receivedAfter(ours().sendAll(commands))).toEqual(wanted);
  });
});
