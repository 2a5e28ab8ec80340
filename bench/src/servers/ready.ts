/** How a benched server says where it listens; main waits for this line. */
export const READY = "bench server on port ";

export function sayReady(port: number): void {
  console.log(`${READY}${port}`);
}

const LOOK_MS = 20;

/** A gateway listens before it has joined its cluster, and lets nobody in until then. */
export async function sayWhenReady({ url, port }: { url: string; port: number }): Promise<void> {
  while (!(await fetch(`${url}/health/ready`)).ok) await Bun.sleep(LOOK_MS);
  sayReady(port);
}

/** An answer of the dialect that the bare Bun and the ws server share with Aldis. */
export function reply(action: string, id: number): string {
  return `{"action":"${action}","id":${id},"data":{}}`;
}

/** A command of that dialect. The bench sends nothing else, so nothing is checked. */
export type BenchCommand = {
  action: "subscribe" | "publish";
  id: number;
  data: { channel: string; data: unknown };
};
