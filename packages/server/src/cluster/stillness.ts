type Watched = { token: string; stillMs: number; changedAtMs: number };

/**
 * How long things have stood still, as an observer saw it who looks again and again. Between two looks at most `stepMaxMs` count: while the
 * observer itself slept, or could not look, it has seen nothing, and nobody is to blame for it.
 */
export class Stillness {
  readonly #stepMaxMs: number;
  readonly #watched = new Map<string, Watched>();
  #lookedAtMs: number | undefined;
  #stepMs = 0;

  constructor(stepMaxMs: number) {
    this.#stepMaxMs = stepMaxMs;
  }

  /** A look begins, at a monotonic time. */
  look(nowMs: number): void {
    const since = nowMs - (this.#lookedAtMs ?? nowMs);
    this.#lookedAtMs = nowMs;
    this.#stepMs = Math.min(since, this.#stepMaxMs);
  }

  /** In this look a thing stands at `token`; gives how long it was seen to stand there. Once for each thing and look. */
  stillMs(id: string, token: string): number {
    const watched = this.#watched.get(id);
    const nowMs = this.#lookedAtMs ?? 0;
    if (watched === undefined || watched.token !== token) {
      this.#watched.set(id, { token, stillMs: 0, changedAtMs: nowMs });
      return 0;
    }
    watched.stillMs += this.#stepMs;
    return watched.stillMs;
  }

  /** When it was last seen to change, monotonic; undefined: it is not watched. */
  changedAtMs(id: string): number | undefined {
    return this.#watched.get(id)?.changedAtMs;
  }

  forget(id: string): void {
    this.#watched.delete(id);
  }

  /** Those that are not in `there` any more. */
  missing(there: { has(id: string): boolean }): string[] {
    return [...this.#watched.keys()].filter((id) => !there.has(id));
  }
}
