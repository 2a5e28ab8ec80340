import type { Socket } from "bun";
import { eventually } from "./eventually.ts";

/** A bare TCP connection, for what no WebSocket library would send. */
export type TcpClient = {
  write(bytes: string | Uint8Array): void;
  /** All bytes that have come so far. */
  received(): Buffer;
  readonly ended: boolean;
  /** Waits until `received()` satisfies `wants`. */
  until(what: string, wants: (bytes: Buffer) => boolean): Promise<Buffer>;
  /** Stops reading, as a stuck peer does; what comes fills the buffers of the kernel. */
  pause(): void;
  resume(): void;
  close(): void;
};

export async function connectTcp(port: number, hostname = "127.0.0.1"): Promise<TcpClient> {
  const chunks: Buffer[] = [];
  let ended = false;
  const noteEnd = () => {
    ended = true;
  };
  let unsent: Uint8Array[] = [];

  function flush(socket: Socket): void {
    while (unsent.length > 0) {
      const [next] = unsent;
      if (next === undefined) return;
      const written = Math.max(0, socket.write(next));
      if (written < next.length) {
        unsent[0] = next.subarray(written);
        return;
      }
      unsent.shift();
    }
  }

  const socket = await Bun.connect({
    hostname,
    port,
    socket: {
      data: (_, bytes) => void chunks.push(Buffer.from(bytes)),
      drain: flush,
      end: noteEnd,
      close: noteEnd,
      error: noteEnd,
    },
  });
  const received = () => Buffer.concat(chunks);
  return {
    write(bytes) {
      unsent.push(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
      flush(socket);
    },
    received,
    get ended() {
      return ended;
    },
    until: async (what, wants) => {
      await eventually(what, () => wants(received()));
      return received();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close() {
      unsent = [];
      socket.terminate();
    },
  };
}
