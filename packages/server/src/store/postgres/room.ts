/** What may wait: so many things, and so much in them. */
export class Room {
  readonly #max: number;
  readonly #maxBytes: number;
  #taken = 0;
  #bytes = 0;

  constructor(max: number, maxBytes: number) {
    this.#max = max;
    this.#maxBytes = maxBytes;
  }

  get taken(): number {
    return this.#taken;
  }

  /** False, and nothing is taken, when there is no room for it. One thing alone may be greater than all. */
  take(bytes: number): boolean {
    const isFull = this.#taken >= this.#max || this.#bytes + bytes > this.#maxBytes;
    if (this.#taken > 0 && isFull) return false;
    this.#taken++;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#taken--;
    this.#bytes -= bytes;
  }
}
