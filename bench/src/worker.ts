import { type Machine, pinned } from "./servers/launch.ts";

/** A process of the bench that makes load: takes orders over IPC and answers each of them, one at a time. */
export type Worker<Order, Answer> = {
  readonly pid: number;
  /** Rejects when it ends, or has not answered within `limitMs`. */
  ask(order: Order, limitMs: number): Promise<Answer>;
  stop(): void;
};

/** Runs `file` on core 1; its plan is the argument, as JSON. */
export function startWorker<Order, Answer>(
  machine: Machine,
  file: string,
  plan: object,
): Worker<Order, Answer> {
  let answered = Promise.withResolvers<Answer>();
  answered.promise.catch(() => {}); // until somebody asks
  const child = Bun.spawn(pinned(machine, 1, [process.execPath, file, JSON.stringify(plan)]), {
    stdout: "inherit",
    stderr: "inherit",
    ipc: (answer: Answer) => answered.resolve(answer),
    onExit: () => answered.reject(new Error(`${file} ended early`)),
  });
  return {
    pid: child.pid,
    async ask(order, limitMs) {
      if (child.exitCode !== null) throw new Error(`${file} ended early`);
      answered = Promise.withResolvers<Answer>();
      child.send(order);
      const watchdog = setTimeout(
        () => answered.reject(new Error(`${JSON.stringify(order)} does not come to an end`)),
        limitMs,
      );
      try {
        return await answered.promise;
      } finally {
        clearTimeout(watchdog);
      }
    },
    stop() {
      answered.promise.catch(() => {}); // nobody waits any more
      child.kill("SIGKILL");
    },
  };
}
