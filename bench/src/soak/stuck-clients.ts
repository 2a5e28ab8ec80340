import { openRawSocket, type RawSocket } from "@aldis/testkit";
import { mintToken } from "../token.ts";
import { publishAs } from "./backend.ts";

/** Subscribers that stop reading while large messages come, until the gateway closes them as slow consumers. */
const STUCK = 10;
const MESSAGE_BYTES = 50_000;
const PERIOD_MS = 20;

export async function sufferStuckClients(port: number, cycle: number, durationMs: number) {
  const channel = `fat:cycle-${cycle}`;
  const stuck = await Promise.all(
    Array.from({ length: STUCK }, (_, index) =>
      openStuck(port, channel, `stuck-${cycle}-${index}`),
    ),
  );
  const message = { channel, data: "x".repeat(MESSAGE_BYTES) };
  const endsAtMs = performance.now() + durationMs;
  while (performance.now() < endsAtMs) {
    await publishAs("one", port, message);
    await Bun.sleep(PERIOD_MS);
  }
  for (const socket of stuck) socket.cut();
}

async function openStuck(port: number, channel: string, name: string): Promise<RawSocket> {
  const token = mintToken(name, { tenant: "one" });
  const socket = await openRawSocket(port, `/ws?token=${token}`);
  socket.send("subscribe", { channel }, 1);
  await socket.message("reply to subscribe", ({ id }) => id === 1);
  socket.pause();
  return socket;
}
