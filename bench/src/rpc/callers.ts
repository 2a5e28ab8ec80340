/** Who asks: by `rpc` through the gateway, or the backend itself by HTTP with what the gateway would have sent. */
import { createHmac } from "node:crypto";
import { mintToken } from "../token.ts";

/** Asks once, and resolves when the answer is there; rejects when it is another than the right one. */
export type Caller = { ask(): Promise<void>; close(): void };

export const SECRET_KEY = Buffer.from("a secret that protects nothing at all");
const ASKED = { item: "tea", text: "As much as a call of an ordinary length has." };

/** A client of its own user, with one call under way at a time. */
export async function openClient(port: number, name: string): Promise<Caller> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  let answered = Promise.withResolvers<string>();
  socket.addEventListener("message", ({ data }) => {
    // The welcome comes unasked, before the reply.
    if (!String(data).startsWith('{"action":"welcome"')) answered.resolve(String(data));
  });
  socket.addEventListener("close", () => answered.reject(new Error("a client was closed")));
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  const send = (frame: object) => {
    answered = Promise.withResolvers<string>();
    socket.send(JSON.stringify(frame));
    return answered.promise;
  };
  const reply = await send({ action: "connect", id: 0, data: { token: mintToken(name) } });
  if (!reply.startsWith('{"action":"connect"')) throw new Error(`not connected: ${reply}`);
  const call = { action: "rpc", id: 1, data: { method: "echo", data: ASKED } };
  return {
    ask: async () => isRight(await send(call)),
    close() {
      answered.promise.catch(() => {}); // nobody asks any more
      socket.close();
    },
  };
}

/** A connection that is kept, over which one request after another is written as it is: no HTTP library is measured. */
export async function openBare(port: number, request: Uint8Array): Promise<Caller> {
  let answered = Promise.withResolvers<string>();
  let text = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, bytes) {
        text += bytes.toString();
        const [head = "", body] = text.split("\r\n\r\n");
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        if (body !== undefined && body.length >= length) answered.resolve(body);
      },
      close: () => answered.reject(new Error("the backend hung up")),
    },
  });
  return {
    async ask() {
      text = "";
      answered = Promise.withResolvers<string>();
      socket.write(request);
      isRight(await answered.promise);
    },
    close() {
      answered.promise.catch(() => {}); // as above
      socket.end();
    },
  };
}

/** What the gateway sends, signed now: the backend believes it for five minutes. */
export function signedRequest(port: number): Uint8Array {
  const user = { id: "user-0" };
  const call = { id: "bc_1", type: "rpc", tenant: "default", at: Date.now(), user };
  const body = JSON.stringify({ ...call, connection: "c", method: "echo", data: ASKED });
  const timestamp = Math.floor(Date.now() / 1_000);
  const mac = createHmac("sha256", SECRET_KEY).update(`bc_1.${timestamp}.${body}`);
  const head = [
    "POST /aldis HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...["Webhook-Id: bc_1", `Webhook-Timestamp: ${timestamp}`],
    `Webhook-Signature: v1,${mac.digest("base64")}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** A refusal is answered too, and faster. */
function isRight(answer: string): void {
  if (!answer.includes(`"result":{"item":"tea"`)) throw new Error(`not the answer: ${answer}`);
}
