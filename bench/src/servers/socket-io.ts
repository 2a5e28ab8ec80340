import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";
import { verifyToken } from "./jose-verify.ts";
import { sayReady } from "./ready.ts";

/** Socket.IO at its best: WebSocket from the start (no polling, no upgrade), no compression, rooms; in a cluster with its Redis adapter. */
const redisUrl = process.env["BENCH_REDIS_URL"];
const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  ...(redisUrl === undefined
    ? {}
    : { adapter: createAdapter(new Redis(redisUrl), new Redis(redisUrl)) }),
});

io.use((socket, next) => {
  verifyToken(String(socket.handshake.auth["token"])).then(
    () => next(),
    (error: Error) => next(error),
  );
});

io.on("connection", (socket) => {
  socket.on("subscribe", (channel: string, done: () => void) => {
    void socket.join(channel); // synchronous with the in-memory adapter
    done();
  });
  socket.on("publish", (channel: string, data: unknown, done: () => void) => {
    io.to(channel).emit("message", data);
    done();
  });
});

http.listen(0, "127.0.0.1", () => sayReady((http.address() as AddressInfo).port));
