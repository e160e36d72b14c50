import { createServer } from "node:http";
import { Server } from "socket.io";

// A room as Socket.IO's documentation makes one.
const http = createServer((request, response) => {
  if (request.url === "/") response.end("ok");
});
const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.on("connection", (socket) => {
  void socket.join("room");
  socket.on("message", (text: string) => io.to("room").emit("message", text));
});
http.listen(Number(process.env["PORT"]), "127.0.0.1");
