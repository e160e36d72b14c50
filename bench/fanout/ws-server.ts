import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

// The least there is: whatever one client says, all of them hear.
const http = createServer((_request, response) => response.end("ok"));
const server = new WebSocketServer({ server: http });
server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (data: Buffer) => {
    const text = data.toString("utf8");
    for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
  });
});
http.listen(Number(process.env["PORT"]), "127.0.0.1");
