/** What must hold for this node to take connections; each part of the gateway says its own. */
export class Readiness {
  readonly #conditions = new Map<string, () => boolean>();

  /** `name` is shown as it is: no secrets. */
  require(name: string, isMet: () => boolean): void {
    this.#conditions.set(name, isMet);
  }

  get isReady(): boolean {
    for (const isMet of this.#conditions.values()) if (!isMet()) return false;
    return true;
  }

  /** Names of the conditions that do not hold. */
  get missing(): readonly string[] {
    return [...this.#conditions].filter(([, isMet]) => !isMet()).map(([name]) => name);
  }
}
