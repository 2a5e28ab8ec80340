/** Below the ports that the kernel gives to connections: one of these could take a port while whoever listens there is started again. */
const FIRST = 10_000;
const COUNT = 20_000;

/** A port of the loopback that nobody listens on now, for what cannot tell which one it took. */
export function freePort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (isFree(port)) return port;
  }
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}
