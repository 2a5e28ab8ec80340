/** Wakes of one key: one is under way, and all that came after it are one more. */
type Line = {
  running: Promise<void>;
  next: { atMs: number; readonly done: Promise<void> } | undefined;
};

/** Many wakes of one key at the same time cost as two: those that come while one is under way are kept together, for the earliest of their times. */
export class Lines {
  readonly #lines = new Map<string, Line>();

  /** `id` names the key. Resolves when `keep` has, that was called after this. */
  wake(id: string, atMs: number, keep: (atMs: number) => Promise<void>): Promise<void> {
    const line = this.#lines.get(id);
    if (line === undefined) return this.#begin(id, atMs, keep);
    if (line.next !== undefined) {
      line.next.atMs = Math.min(line.next.atMs, atMs);
      return line.next.done;
    }
    // What is under way may have looked before that was written which this one is for.
    const goOn = (): Promise<void> => this.#begin(id, line.next?.atMs ?? atMs, keep);
    const done = line.running.then(goOn, goOn);
    line.next = { atMs, done };
    return done;
  }

  #begin(id: string, atMs: number, keep: (atMs: number) => Promise<void>): Promise<void> {
    const running = keep(atMs).finally(() => {
      if (this.#lines.get(id) === line && line.next === undefined) this.#lines.delete(id);
    });
    const line: Line = { running, next: undefined };
    this.#lines.set(id, line);
    return running;
  }
}
