import { Histogram } from "../histogram.ts";
import {
  CLIENTS_OF_A_CHANNEL,
  type ClientsJob,
  type ClientsResult,
} from "../scenarios/client-publish.ts";
import { mintTokens } from "../token.ts";
import type { Connection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { encodeText } from "./frames.ts";
import { keepAwake } from "./keep-awake.ts";
import { type LoadMark, leastDisturbed, loadBetween, markLoad } from "./load.ts";
import { closeAll, openMany } from "./open-many.ts";
import { payloadOf } from "./payload.ts";

/** Each client keeps a few publishes in flight in its channel, and the next one leaves when a reply has come. */
const OPEN_WINDOW = 64;
const STALL_MS = 20_000;
const LINGER_MS = 100;

export async function runClientPublish(job: ClientsJob): Promise<ClientsResult[]> {
  const dialect = DIALECTS[job.system];
  const tokens = mintTokens(job.connections);
  const connections = await openMany({
    count: job.connections,
    window: OPEN_WINDOW,
    options: (index) => ({
      port: job.port,
      dialect,
      token: tokens[index] ?? "",
      channel: channelOf(index, job.says),
    }),
  });
  const result = await leastDisturbed({
    max: job.attemptsMax,
    serverPid: job.serverPid,
    run: () => measure(job, connections),
    disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
    isFaulty: ({ published, acknowledged, inexact }) => published !== acknowledged || inexact > 0,
  });
  closeAll(connections);
  return [result];
}

type Mark = { load: LoadMark; acknowledged: number };

async function measure(job: ClientsJob, connections: Connection[]): Promise<ClientsResult> {
  const run = new ClientsRun(job);
  const clients = connections.map((connection) => new PublishingClient(run, connection));
  const awake = keepAwake();
  const watchdog = setTimeout(() => run.fail("stalled"), job.warmUpMs + job.measureMs + STALL_MS);
  for (const client of clients) client.start();
  const { before, after } = await run.finished.promise.finally(() => {
    awake.stop();
    clearTimeout(watchdog);
  });
  await Bun.sleep(LINGER_MS);
  const publishes = after.acknowledged - before.acknowledged;
  const elapsedMs = after.load.atMs - before.load.atMs;
  const inChannel = new Map<string, number>();
  for (const { channel, published } of clients) {
    inChannel.set(channel, (inChannel.get(channel) ?? 0) + published);
  }
  return {
    scenario: "clients",
    connections: clients.length,
    published: run.published,
    acknowledged: run.acknowledged,
    delivered: clients.reduce((sum, { delivered }) => sum + delivered, 0),
    inexact: clients.filter(({ channel, delivered }) => delivered !== inChannel.get(channel))
      .length,
    publishesPerSecond: (publishes / elapsedMs) * 1000,
    serverCpuUsPerPublish: (after.load.serverNs - before.load.serverNs) / 1000 / publishes,
    ...loadBetween(before.load, after.load),
    latency: run.latency.dump(),
  };
}

/** What all clients of a measurement share: the clock, and the count. */
class ClientsRun {
  readonly job: ClientsJob;
  /** Attempts of one measurement go to one server: no idempotency key of one may be a repeat in the next. */
  readonly id = crypto.randomUUID();
  readonly latency = new Histogram();
  readonly finished = Promise.withResolvers<{ before: Mark; after: Mark }>();
  published = 0;
  acknowledged = 0;
  #phaseEndsAtMs: number;
  #before: Mark | undefined;
  #after: Mark | undefined;

  constructor(job: ClientsJob) {
    this.job = job;
    this.#phaseEndsAtMs = performance.now() + job.warmUpMs;
  }

  get isOver(): boolean {
    return this.#after !== undefined;
  }

  onAcknowledged(sentAtMs: number, nowMs: number): void {
    this.acknowledged++;
    if (this.#before !== undefined && this.#after === undefined) {
      this.latency.record(nowMs - sentAtMs);
    }
    if (nowMs >= this.#phaseEndsAtMs) this.#nextPhase(nowMs);
    if (this.#before && this.#after && this.acknowledged === this.published) {
      this.finished.resolve({ before: this.#before, after: this.#after });
    }
  }

  fail(cause: string): void {
    this.finished.reject(
      new Error(`${cause} (${this.published} published, ${this.acknowledged} acknowledged)`),
    );
  }

  #nextPhase(nowMs: number): void {
    const mark: Mark = { load: markLoad(this.job.serverPid), acknowledged: this.acknowledged };
    if (this.#before === undefined) {
      this.#before = mark;
      this.#phaseEndsAtMs = nowMs + this.job.measureMs;
    } else this.#after ??= mark;
  }
}

class PublishingClient {
  readonly channel: string;
  published = 0;
  delivered = 0;
  readonly #run: ClientsRun;
  readonly #connection: Connection;
  readonly #ackPrefix: Uint8Array;
  readonly #sentAtMs: number[] = [];

  constructor(run: ClientsRun, connection: Connection) {
    this.#run = run;
    this.#connection = connection;
    this.channel = connection.channel ?? "";
    const { says, system } = run.job;
    const prefix = says === "chat" ? CHAT_ACK_PREFIX : DIALECTS[system].ackPrefix;
    this.#ackPrefix = Buffer.from(prefix);
    connection.receive(
      {
        onText: (payload) => this.#onFrame(payload),
        onReadEnd: () => this.#refill(),
        onClosed: (cause) => run.fail(`a client was closed: ${cause}`),
      },
      { wholeFrames: true },
    );
  }

  start(): void {
    this.#refill();
  }

  #onFrame(payload: Uint8Array): void {
    if (!beginsWith(payload, this.#ackPrefix)) {
      this.delivered++;
      return;
    }
    this.#run.onAcknowledged(this.#sentAtMs.shift() ?? 0, performance.now());
  }

  /** Replies come in the order of the publishes, so what is in flight is what has no reply yet. */
  #refill(): void {
    const { job } = this.#run;
    const frames: Uint8Array[] = [];
    const nowMs = performance.now();
    while (this.#sentAtMs.length < job.window && !this.#run.isOver) {
      const text = job.says === "chat" ? this.#saying() : this.#publish();
      this.published++;
      this.#run.published++;
      this.#sentAtMs.push(nowMs);
      frames.push(encodeText(text));
    }
    if (frames.length > 0) this.#connection.write(Buffer.concat(frames));
  }

  #publish(): string {
    const { job } = this.#run;
    const payload = payloadOf(this.published, job.payloadBytes);
    return DIALECTS[job.system].publish(this.published, this.channel, payload);
  }

  /** As a client says it that may have to repeat it: with an idempotency key. */
  #saying(): string {
    const { id: run, job } = this.#run;
    const text = payloadOf(this.published, job.payloadBytes);
    const data = { room: this.channel, text, idempotencyKey: `${run}-${this.published}` };
    return JSON.stringify({ action: "chat", id: this.published, data });
  }
}

function beginsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  for (let at = 0; at < prefix.length; at++) {
    if (bytes[at] !== prefix[at]) return false;
  }
  return true;
}

function channelOf(client: number, says: ClientsJob["says"]): string {
  return `${says ?? "bench"}:small-${Math.floor(client / CLIENTS_OF_A_CHANNEL)}`;
}

const CHAT_ACK_PREFIX = '{"action":"chat"';
