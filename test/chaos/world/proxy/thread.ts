import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Proxies } from "./proxies.ts";

/** The same proxies, in a thread of their own: whoever drives the clients is too busy to forward in time. */
export type RemoteProxies = {
  [Name in ProxiesCall]: (...args: Parameters<Proxies[Name]>) => Promise<Awaited<ReturnType<Proxies[Name]>>>;
};
type ProxiesCall = "open" | "impose" | "lift" | "cut" | "sockets" | "answers" | "close";

export interface Call {
  id: number;
  name: ProxiesCall;
  args: unknown[];
}
export type Reply = { id: number; result: unknown } | { id: number; failure: string };

/** Starts the thread; it ends with `close`. */
export function startProxies(): RemoteProxies {
  // Flags of this process are its own, those of a test runner above all.
  const thread = new Worker(new URL("./thread-main.ts", import.meta.url), { execArgv: [] });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  thread.on("message", (reply: Reply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("failure" in reply) call?.reject(new Error(reply.failure));
    else call?.resolve(reply.result);
  });
  const failAll = (error: Error): void => {
    for (const call of waiting.values()) call.reject(error);
  };
  thread.on("error", failAll);
  const ended = once(thread, "exit").then(() => failAll(new Error("The proxies' thread has ended")));
  const call = (name: ProxiesCall, args: unknown[]): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    waiting.set(++lastId, answer);
    thread.postMessage({ id: lastId, name, args } satisfies Call);
    return answer.promise;
  };
  const remote =
    (name: ProxiesCall) =>
    (...args: unknown[]) =>
      call(name, args);
  return {
    open: remote("open"),
    impose: remote("impose"),
    lift: remote("lift"),
    cut: remote("cut"),
    sockets: remote("sockets"),
    answers: remote("answers"),
    close: async () => {
      await call("close", []);
      await thread.terminate(); // connections that are still on their way do not keep it
      await ended;
    },
  } as RemoteProxies; // every call answers what the method of its name does
}
