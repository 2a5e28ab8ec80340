import { type Connection, type OpenOptions, openConnection } from "./connection.ts";

export type OpenMany = {
  count: number;
  /** How many may be on their way at once. */
  window: number;
  options(index: number): OpenOptions;
  /** Told how long each one took. */
  onOpened?(milliseconds: number): void;
};

/** Opens connections one after another, with a window of them in flight; all or an error. */
export async function openMany(plan: OpenMany): Promise<Connection[]> {
  const connections: Connection[] = [];
  let next = 0;
  async function openNext(): Promise<void> {
    while (next < plan.count) {
      const options = plan.options(next++);
      const startedAt = performance.now();
      connections.push(await openConnection(options));
      plan.onOpened?.(performance.now() - startedAt);
    }
  }
  await Promise.all(Array.from({ length: Math.min(plan.window, plan.count) }, openNext));
  return connections;
}

export function closeAll(connections: Connection[]): void {
  for (const connection of connections) {
    connection.close();
  }
}
