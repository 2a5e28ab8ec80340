/** How a benched server says where it listens; main waits for this line. */
export const READY = "bench server on port ";

export function sayReady(port: number): void {
  console.log(`${READY}${port}`);
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
