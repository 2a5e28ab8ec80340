import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { verifyToken } from "./jose-verify.ts";
import { type BenchCommand, reply, sayReady } from "./ready.ts";

/** A ws server as its users write it, at its best: no compression, each message encoded once to a Buffer. */
const subscribers = new Map<string, Set<WebSocket>>();
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });

server.on("connection", (socket, request) => {
  const token = new URL(request.url ?? "/", "ws://bench").searchParams.get("token") ?? "";
  const welcomed = verifyToken(token).then(
    () => socket.send('{"action":"welcome","data":{}}'),
    () => socket.close(4002, "token refused or expired"),
  );
  socket.on("message", (bytes) => {
    // The generator speaks only after its welcome, so there is nothing to queue.
    handle(socket, JSON.parse(String(bytes)) as BenchCommand);
  });
  socket.on("close", () => {
    for (const members of subscribers.values()) {
      members.delete(socket);
    }
  });
  void welcomed;
});

function handle(socket: WebSocket, command: BenchCommand): void {
  const { channel, data } = command.data;
  if (command.action === "subscribe") {
    membersOf(channel).add(socket);
  } else {
    const message = Buffer.from(JSON.stringify({ action: "message", data: { channel, data } }));
    for (const member of membersOf(channel)) {
      member.send(message, { binary: false });
    }
  }
  socket.send(reply(command.action, command.id));
}

function membersOf(channel: string): Set<WebSocket> {
  const members = subscribers.get(channel) ?? new Set<WebSocket>();
  subscribers.set(channel, members);
  return members;
}

server.on("listening", () => sayReady((server.address() as AddressInfo).port));
