/** Runs what has the same name one after another, and remembers a name only while something of it runs. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const result = before === undefined ? work() : before.then(work);
    const ended: Promise<void> = result.then(
      () => this.#end(name, ended),
      () => this.#end(name, ended),
    );
    this.#last.set(name, ended);
    return result;
  }

  get size(): number {
    return this.#last.size;
  }

  #end(name: string, ended: Promise<void>): void {
    if (this.#last.get(name) === ended) this.#last.delete(name);
  }
}
