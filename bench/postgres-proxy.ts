import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { StackOptions } from "../dev/stack.ts";

/** Stands between the stack and its Postgres: counts what is asked, and can be gone. */
export class PostgresProxy {
  queries = 0;
  /** Every request is cut off without an answer. */
  isDown = false;
  #target = "";
  readonly #server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing));

  /** For `through` of a stack. */
  readonly through: NonNullable<StackOptions["through"]> = async (hop, url) => {
    if (hop !== "postgres") return url;
    this.#target = url;
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The proxy does not listen");
    const own = new URL(url);
    own.port = String(address.port);
    return own.href;
  };

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.queries++;
    if (this.isDown) return void incoming.socket.destroy();
    const { method, headers } = incoming;
    const onward = request(this.#target, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  }
}
