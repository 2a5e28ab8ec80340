/** Own publications that are ahead of the position; beyond this the oldest are forgotten. */
const OFFSETS_MAX = 1000;

/**
 * Offsets of this client's own publications that may never be pushed to it (docs/protocol.md PB4).
 * `silent`: it asked for no echo. `maybe`: the namespace may exclude senders, which the reply does not
 * tell; as pushes come in order of offset, one after it shows that it was left out.
 */
export class OwnOffsets {
  readonly #kinds = new Map<number, "silent" | "maybe">();

  add(offset: number, kind: "silent" | "maybe"): void {
    this.#kinds.set(offset, kind);
    if (this.#kinds.size <= OFFSETS_MAX) return;
    for (const oldest of this.#kinds.keys()) {
      this.#kinds.delete(oldest);
      return;
    }
  }

  /** Removes `offset`; true when no push of it is to be waited for. */
  take(offset: number, options: { beforeAnother: boolean }): boolean {
    const kind = this.#kinds.get(offset);
    if (kind === undefined || (kind === "maybe" && !options.beforeAnother)) return false;
    return this.#kinds.delete(offset);
  }

  clear(): void {
    this.#kinds.clear();
  }
}
