/** When the store is open for the first time, or at once where there is none. */
export class StoreOpening {
  #isOpen = false;
  readonly #waiting: (() => void)[] = [];

  /** In the turn in which it opens; at once if it is open. */
  whenOpen(run: () => void): void {
    if (this.#isOpen) run();
    else this.#waiting.push(run);
  }

  opened(): void {
    this.#isOpen = true;
    for (const run of this.#waiting.splice(0)) run();
  }
}
