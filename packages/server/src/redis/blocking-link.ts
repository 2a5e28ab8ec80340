import type { RedisLink } from "./connect.ts";

/** A connection of its own for commands that Redis holds back until there is something to answer. */
export class BlockingLink {
  readonly #link: RedisLink;

  constructor(link: RedisLink) {
    this.#link = link;
    // A lost connection shows in what is asked of it; without a listener it would be printed.
    link.on("error", () => {});
  }

  /** One command, its answer in buffers: what was sent need not be text. It blocks for at most `BLOCK_MAX_MS`. */
  async call(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return await this.#link.callBuffer(command, ...args);
  }

  /** Ends what blocks: it rejects. */
  close(): void {
    this.#link.disconnect();
  }
}
