import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Run } from "./check.ts";
import { ClientSocket, type SocketForm } from "./client-socket.ts";

/** The address of the gateway's socket for the run's room. */
export function socketUrl({ options }: Pick<Run, "options">): URL {
  const url = new URL("/ws", options.url);
  url.searchParams.set("roomId", options.room);
  return withSocketScheme(url);
}

/** The address of the room itself, at the party host. */
export function partySocketUrl(partyUrl: URL, room: string): URL {
  return withSocketScheme(new URL(`/parties/main/${room}`, partyUrl));
}

/** Opens a socket that the run closes at its end. */
export function openSocket(run: Run, url: URL, form: SocketForm): ClientSocket {
  const socket = new ClientSocket(url, form);
  run.sockets.add(socket);
  return socket;
}

/** The status a server answers an upgrade with, which a WebSocket never tells. */
export function upgradeStatus(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<number> {
  const isSecure = url.protocol === "wss:";
  const address = new URL(url);
  address.protocol = isSecure ? "https:" : "http:";
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": Buffer.from("parley-smoke-key").toString("base64"),
  };
  return new Promise((resolve, reject) => {
    const asking = (isSecure ? requestHttps : requestHttp)(address, { headers: { ...upgrade, ...headers }, signal });
    asking.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    asking.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asking.on("error", reject);
    asking.end();
  });
}

function withSocketScheme(url: URL): URL {
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
