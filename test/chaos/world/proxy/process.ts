import { fork } from "node:child_process";
import type { Proxies } from "./proxies.ts";

/**
 * The same proxies, in a process of their own: whoever drives the clients is too busy to forward in time. A thread would
 * do, but Node may wait for ever for one that has had its connections cut.
 */
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

/** Starts the process; it ends with `close`, or with this one. */
export function startProxies(): RemoteProxies {
  const child = fork(new URL("./process-main.ts", import.meta.url), {
    execArgv: [], // flags of this process are its own, those of a test runner above all
    serialization: "advanced",
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  child.on("message", (sent) => {
    const reply = sent as Reply; // all it ever sends
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("failure" in reply) call?.reject(new Error(reply.failure));
    else call?.resolve(reply.result);
  });
  const failAll = (error: Error): void => {
    for (const call of waiting.values()) call.reject(error);
  };
  child.on("error", failAll);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void ended.then(() => failAll(new Error("The proxies' process has ended")));
  const call = (name: ProxiesCall, args: unknown[]): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    waiting.set(++lastId, answer);
    child.send({ id: lastId, name, args } satisfies Call, (error) => error && answer.reject(error));
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
      child.kill("SIGKILL"); // connections that are still on their way do not keep it
      await ended;
    },
  } as RemoteProxies; // every call answers what the method of its name does
}
