import type { Socket } from "bun";
import { Arrival } from "./arrival.ts";
import { encodeText } from "./frames.ts";

/**
 * A storm of connections, as cheap for the generator as it can be, or it would measure itself: the requests are
 * bytes before the clock starts, and what comes back is looked at by its headers alone.
 */
export type StormPlan = {
  port: number;
  /** The upgrade requests, one for each connection. */
  requests: Uint8Array[];
  /** Data frames after which a connection counts as let in; 0: the upgrade is all. */
  framesToOpen: number;
  /** What to say after the first frame, where the protocol wants that. */
  answer: ((index: number) => string) | undefined;
  /** How many may be on their way at once. */
  window: number;
  /** Told how long each one took. */
  onOpened(milliseconds: number): void;
};

/** Opens them all, or rejects with the first that was not let in. Returns how to close them. */
export function runStorm(plan: StormPlan): Promise<() => void> {
  const { promise, resolve, reject } = Promise.withResolvers<() => void>();
  const sockets: Socket<Arrival>[] = [];
  let started = 0;
  let opened = 0;

  function connectNext(): void {
    if (started === plan.requests.length) return;
    const data = new Arrival(started++, performance.now(), plan.framesToOpen);
    Bun.connect({ hostname: "127.0.0.1", port: plan.port, data, socket: arriving }).catch(reject);
  }

  function onOpen(socket: Socket<Arrival>): void {
    plan.onOpened(performance.now() - socket.data.startedAtMs);
    socket.reload({ socket: settled });
    opened++;
    if (opened === plan.requests.length) resolve(closeAll);
    else connectNext();
  }

  function closeAll(): void {
    // Cut, not ended: ports that wait for the last packet (TIME_WAIT) make the next storm search for free ones.
    for (const socket of sockets) socket.terminate();
  }

  const arriving = {
    binaryType: "uint8array",
    open(socket: Socket<Arrival>) {
      sockets.push(socket);
      socket.write(plan.requests[socket.data.index] ?? "");
    },
    data(socket: Socket<Arrival>, chunk: Uint8Array) {
      try {
        const state = socket.data.read(chunk);
        if (state === "open") onOpen(socket);
        else if (state === "spoken to" && plan.answer !== undefined) {
          socket.write(encodeText(plan.answer(socket.data.index)));
        }
      } catch (error) {
        reject(error);
      }
    },
    close: () => reject(new Error("a connection ended before it was let in")),
    error: (_socket: Socket<Arrival>, error: Error) => reject(error),
  } as const;
  const settled = { data() {}, close() {} } as const;

  for (let i = 0; i < plan.window; i++) connectNext();
  return promise;
}
