import type { Shards } from "../shards.ts";

/** More than any part takes between an answer and what it asks next. */
const QUIET_TURNS = 5;

/** Scripts that Redis has been asked to run and has not answered. A test that moves the clock by hand waits for them, however slow the machine is. */
export class OpenCommands {
  #count = 0;

  /** From now on what is run there is counted. */
  watch(shards: Shards): void {
    for (const shard of shards.all) {
      const run = shard.run.bind(shard);
      shard.run = (...command) => this.#counted(run(...command));
    }
  }

  /** Done when nothing is on its way, and no answer has led to more: that begins in the turns after it, without a timer. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      await new Promise((done) => setImmediate(done));
      quiet = this.#count === 0 ? quiet + 1 : 0;
    }
  }

  async #counted<T>(answer: Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await answer;
    } finally {
      this.#count--;
    }
  }
}
