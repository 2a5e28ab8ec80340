import type { StuckJob } from "../scenarios/stuck.ts";
import { mintToken, mintTokens } from "../token.ts";
import { type Connection, openConnection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { encodeText } from "./frames.ts";
import { subscribeTo } from "./subscribe.ts";

/**
 * The extra subscribers. When they do not read, the buffers of the kernel are filled beforehand through a channel of their
 * own, each to another height: a small message a few hundred times a second would take minutes to fill them. So some are closed soon
 * and some late, and who is closed comes back and does not read again.
 */
const FILL_BYTES = 60_000;
/** What a socket that nobody reads takes on loopback, in such messages. */
const FILL_MESSAGES = 66;
/** Up to so many more, spread over the clients: they wait in the gateway. */
const FILL_MORE = 16;
const OPEN_AT_ONCE = 20;

export class StuckClients {
  closed = 0;
  readonly #job: StuckJob;
  readonly #reads: boolean;
  readonly #tokens: string[];
  readonly #connections = new Map<number, Connection>();
  readonly #comingBack = new Set<Promise<void>>();
  #isOver = false;

  constructor(job: StuckJob, { reads }: { reads: boolean }) {
    this.#job = job;
    this.#reads = reads;
    this.#tokens = mintTokens(job.stuck, "stuck");
  }

  async open(): Promise<void> {
    for (let from = 0; from < this.#job.stuck; from += OPEN_AT_ONCE) {
      const to = Math.min(from + OPEN_AT_ONCE, this.#job.stuck);
      await Promise.all(Array.from({ length: to - from }, (_, at) => this.#openOne(from + at)));
    }
    if (!this.#reads) await this.#fill();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#comingBack);
    for (const connection of this.#connections.values()) connection.cut();
    this.#connections.clear();
  }

  async #openOne(index: number): Promise<void> {
    const { port, system, channel } = this.#job;
    const dialect = DIALECTS[system];
    const token = this.#tokens[index] ?? "";
    const connection = await openConnection({ port, dialect, token });
    this.#connections.set(index, connection);
    await subscribeTo(connection, dialect, [channel, fillChannelOf(channel, index)]);
    connection.receive({ onClosed: () => this.#onClosed(index) }, { wholeFrames: false });
    if (!this.#reads) connection.pause();
  }

  #onClosed(index: number): void {
    if (this.#isOver) return;
    this.closed++;
    const coming = this.#openOne(index).finally(() => this.#comingBack.delete(coming));
    this.#comingBack.add(coming);
  }

  async #fill(): Promise<void> {
    const { port, system, stuck, channel } = this.#job;
    const dialect = DIALECTS[system];
    const filler = await openConnection({ port, dialect, token: mintToken("filler") });
    const payload = JSON.stringify("x".repeat(FILL_BYTES));
    for (let index = 0; index < stuck; index++) {
      const messages = FILL_MESSAGES + Math.floor((index / stuck) * FILL_MORE);
      const text = dialect.publish(1, fillChannelOf(channel, index), payload);
      await sendAll(filler, encodeText(text), messages);
    }
    filler.close();
  }
}

function fillChannelOf(channel: string, index: number): string {
  return `${channel}-fill-${index}`;
}

/** Waits for the answers, so that the filling is done when the measurement begins. */
function sendAll(filler: Connection, frame: Uint8Array, times: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let missing = times;
  filler.receive(
    {
      onText(payload) {
        const text = new TextDecoder().decode(payload);
        if (text.startsWith('{"action":"error"')) reject(new Error(text));
        else if (--missing === 0) resolve();
      },
      onClosed: (cause) => reject(new Error(`the filler was closed: ${cause}`)),
    },
    { wholeFrames: true },
  );
  for (let sent = 0; sent < times; sent++) filler.write(frame);
  return promise;
}
