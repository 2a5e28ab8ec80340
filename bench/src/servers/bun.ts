import { type BenchCommand, reply, sayReady } from "./ready.ts";

/**
 * The bare Bun server: native topics, no tokens, no offsets. It is the ceiling, not a product. Its
 * messages are filled up to the size that Aldis's have, so that both move the same bytes.
 */
const MESSAGE_BYTES = Number(process.env["BENCH_MESSAGE_BYTES"] ?? "0");
const PREFIX = '{"action":"message","data":{"data":';
const SUFFIX = '},"fill":""}';

/** As long as Aldis's. */
const EPOCH = "0123456789abcdef";
let offset = 0;

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request, self) {
    if (request.method === "POST") {
      return publishOverHttp(request);
    }
    return self.upgrade(request) ? undefined : new Response("upgrade", { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    backpressureLimit: 64 * 1024 * 1024,
    message(socket, text) {
      const command = JSON.parse(String(text)) as BenchCommand;
      if (command.action === "subscribe") {
        socket.subscribe(command.data.channel);
      } else {
        server.publish(command.data.channel, envelope(JSON.stringify(command.data.data)));
      }
      socket.send(reply(command.action, command.id));
    },
  },
});

/** Parses the body and answers in the shape that Aldis has; it looks at no key and publishes nothing. */
async function publishOverHttp(request: Request): Promise<Response> {
  const body = (await request.json()) as { channel: string };
  offset += body.channel === "" ? 0 : 1;
  return Response.json({ offset, epoch: EPOCH });
}

function envelope(payload: string): string {
  const fill = MESSAGE_BYTES - PREFIX.length - payload.length - SUFFIX.length;
  return `${PREFIX}${payload}},"fill":"${fill > 0 ? "x".repeat(fill) : ""}"}`;
}

sayReady(server.port ?? 0);
