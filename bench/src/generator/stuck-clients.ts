import type { StuckJob } from "../scenarios/stuck.ts";
import { mintToken, mintTokens } from "../token.ts";
import { type Connection, openConnection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { encodeText } from "./frames.ts";
import { HEARTBEAT } from "./heartbeats.ts";
import { subscribeTo } from "./subscribe.ts";

/**
 * The extra subscribers. When they do not read, the buffers of the kernel are filled beforehand through a channel of their
 * own, each to another height: small messages at the rate of the run would take minutes to fill them. So some are closed
 * soon and some late, and who is closed comes back and does not read again. They go on sending their heartbeats: TCP tells one
 * who neither reads nor writes nothing of being closed.
 */
const FILL_BYTES = 60_000;
/** The fullest are this many messages below what closes them, the emptiest so many more. */
const FILL_MARGIN = 2;
const FILL_SPREAD = 12;
/** Some hundred MB: more than any kernel takes for one socket. */
const PROBE_MAX = 2000;
const OPEN_AT_ONCE = 20;
const HEARTBEAT_PERIOD_MS = 1000;

export class StuckClients {
  closed = 0;
  readonly #job: StuckJob;
  readonly #reads: boolean;
  readonly #tokens: string[];
  readonly #connections = new Map<number, Connection>();
  readonly #comingBack = new Set<Promise<void>>();
  #heartbeats: Timer | undefined;
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
    this.#heartbeats = setInterval(() => {
      for (const connection of this.#connections.values()) connection.write(HEARTBEAT);
    }, HEARTBEAT_PERIOD_MS);
  }

  async close(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#heartbeats);
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
    const frameFor = (to: string) => encodeText(dialect.publish(1, to, payload));
    const most = (await probeHeight(this.#job, filler, frameFor(PROBE_CHANNEL))) - FILL_MARGIN;
    for (let index = 0; index < stuck; index++) {
      const messages = most - Math.floor((index / stuck) * FILL_SPREAD);
      await sendAll(filler, frameFor(fillChannelOf(channel, index)), Math.max(1, messages));
    }
    filler.close();
  }
}

/** In the namespace whose policy closes, whatever is measured: it says how much a socket takes. */
const PROBE_CHANNEL = "stuck-close:probe";

/** After how many messages a client that does not read is closed. */
async function probeHeight(job: StuckJob, filler: Connection, frame: Uint8Array): Promise<number> {
  const dialect = DIALECTS[job.system];
  const token = mintToken("probe");
  const probe = await openConnection({ port: job.port, dialect, token, channel: PROBE_CHANNEL });
  let isClosed = false;
  const onClosed = () => {
    isClosed = true;
  };
  probe.receive({ onClosed }, { wholeFrames: false });
  probe.pause();
  let messages = 0;
  while (!isClosed && messages < PROBE_MAX) {
    await sendAll(filler, frame, 1);
    messages++;
    probe.write(HEARTBEAT);
  }
  probe.cut();
  return messages;
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
