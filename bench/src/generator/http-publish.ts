import { Histogram } from "../histogram.ts";
import { portOf } from "../job.ts";
import { type HttpJob, type HttpResult, httpFaults } from "../scenarios/http-publish.ts";
import { BENCH_API_KEY, mintToken } from "../token.ts";
import { DIALECTS } from "./dialects.ts";
import { type AnswerSink, type HttpConnection, openHttp } from "./http-connection.ts";
import { keepAwake } from "./keep-awake.ts";
import { type LoadMark, leastDisturbed, loadBetween, markLoad } from "./load.ts";
import { openMany } from "./open-many.ts";
import { payloadOf } from "./payload.ts";

/** Each connection sends its next request when it has its answer, so that as many are in flight as there are connections. */
const STALL_MS = 20_000;
const HEAR_MAX_MS = 5_000;
const HEAR_POLL_MS = 20;
/** Different requests, so that nobody profits from seeing the same bytes. */
const REQUESTS = 1000;

export async function runHttpPublish(job: HttpJob): Promise<HttpResult[]> {
  const requests = Array.from({ length: REQUESTS }, (_, index) => requestOf(job, index));
  const counter = new PublishCounter();
  const connections = await Promise.all(
    Array.from({ length: job.connections }, (_, index) => openHttp(portOf(job, index), counter)),
  );
  const listeners = await openListeners(job, counter);
  const result = await leastDisturbed({
    max: job.attemptsMax,
    serverPid: job.serverPid,
    run: () => measure(job, { counter, connections, requests, listeners }),
    disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
    isFaulty: (outcome) => httpFaults(outcome).length > 0,
  });
  counter.isOver = true;
  for (const connection of connections) connection.close();
  return [result];
}

type Parties = {
  counter: PublishCounter;
  connections: HttpConnection[];
  requests: Uint8Array[];
  listeners: Listener[];
};

/** A connection that is subscribed to the channel, and counts. */
type Listener = { heard: number };

/** One at each of the first nodes. */
async function openListeners(job: HttpJob, counter: PublishCounter): Promise<Listener[]> {
  const opened = await openMany({
    count: job.listeners,
    window: 1,
    options: (index) => ({
      port: portOf(job, index),
      dialect: DIALECTS[job.system],
      token: mintToken(`listener-${index}`),
      channel: job.channel,
    }),
  });
  return opened.map((connection) => {
    const listener = { heard: 0 };
    connection.receive(
      {
        onCounted(frames) {
          listener.heard += frames;
        },
        onClosed: (cause) => counter.onFailed(`a listener was closed: ${cause}`),
      },
      { wholeFrames: false },
    );
    return listener;
  });
}

/** Other nodes may hear of a publication after its answer. */
async function whenHeard(listeners: Listener[], count: number): Promise<void> {
  const deadlineMs = performance.now() + HEAR_MAX_MS;
  while (listeners.some(({ heard }) => heard < count) && performance.now() < deadlineMs) {
    await Bun.sleep(HEAR_POLL_MS);
  }
}

async function measure(job: HttpJob, parties: Parties): Promise<HttpResult> {
  const { counter } = parties;
  const { listeners } = parties;
  for (const listener of listeners) listener.heard = 0;
  const offsetBefore = counter.offsetMax;
  const answered = counter.answered;
  const requested = counter.requested;
  const latency = new Histogram();
  const run = counter.start({ ...parties, job, latency });
  const watchdog = setTimeout(
    () => counter.onFailed("stalled"),
    job.warmUpMs + job.measureMs + STALL_MS,
  );
  const awake = keepAwake();
  const { before, after } = await run.finally(() => {
    awake.stop();
    clearTimeout(watchdog);
  });
  const publishes = after.answered - before.answered;
  const sent = counter.requested - requested;
  await whenHeard(listeners, sent);
  const heard = listeners.length === 0 ? [sent] : listeners.map((listener) => listener.heard);
  const elapsedMs = after.load.atMs - before.load.atMs;
  return {
    scenario: "http",
    requested: sent,
    answered: counter.answered - answered,
    offsets: counter.offsetMax - offsetBefore,
    heardMin: Math.min(...heard),
    heardMax: Math.max(...heard),
    publishesPerSecond: (publishes / elapsedMs) * 1000,
    serverCpuUsPerPublish: (after.load.serverNs - before.load.serverNs) / 1000 / publishes,
    redisCpuUsPerPublish: (after.load.redisNs - before.load.redisNs) / 1000 / publishes,
    ...loadBetween(before.load, after.load),
    latency: latency.dump(),
  };
}

type Mark = { load: LoadMark; answered: number };
type Run = Parties & { job: HttpJob; latency: Histogram };

class PublishCounter implements AnswerSink {
  requested = 0;
  answered = 0;
  offsetMax = 0;
  isOver = false;
  #run: Run | undefined;
  #phaseEndsAtMs = 0;
  #before: Mark | undefined;
  #after: Mark | undefined;
  #finished = Promise.withResolvers<{ before: Mark; after: Mark }>();

  /** Resolves when the time is over and the last request is answered. */
  start(run: Run): Promise<{ before: Mark; after: Mark }> {
    this.#run = run;
    this.#before = undefined;
    this.#after = undefined;
    this.#finished = Promise.withResolvers();
    const nowMs = performance.now();
    this.#phaseEndsAtMs = nowMs + run.job.warmUpMs;
    for (const connection of run.connections) this.#sendNext(connection, nowMs);
    return this.#finished.promise;
  }

  onAnswer(connection: HttpConnection, offset: number): void {
    const run = this.#run;
    if (run === undefined) return;
    this.answered++;
    if (offset > this.offsetMax) this.offsetMax = offset;
    const nowMs = performance.now();
    if (this.#before !== undefined && this.#after === undefined) {
      run.latency.record(nowMs - connection.sentAtMs);
    }
    if (nowMs >= this.#phaseEndsAtMs) this.#nextPhase(run, nowMs);
    if (this.#after === undefined) this.#sendNext(connection, nowMs);
    else if (this.answered === this.requested && this.#before !== undefined) {
      this.#finished.resolve({ before: this.#before, after: this.#after });
    }
  }

  onFailed(cause: string): void {
    if (!this.isOver) this.#finished.reject(new Error(`${cause} (${this.answered} answered)`));
  }

  #sendNext(connection: HttpConnection, nowMs: number): void {
    const requests = this.#run?.requests ?? [];
    const request = requests[this.requested++ % requests.length];
    if (request !== undefined) connection.send(request, nowMs);
  }

  #nextPhase({ job }: Run, nowMs: number): void {
    const mark: Mark = { load: markLoad(job.serverPid, job.peers), answered: this.answered };
    if (this.#before === undefined) {
      this.#before = mark;
      this.#phaseEndsAtMs = nowMs + job.measureMs;
    } else this.#after ??= mark;
  }
}

function requestOf(job: HttpJob, index: number): Uint8Array {
  const body = `{"channel":"${job.channel}","data":${payloadOf(index, job.payloadBytes)}}`;
  return Buffer.from(
    `POST /api/publish HTTP/1.1\r\nHost: 127.0.0.1:${job.port}\r\nAuthorization: Bearer ${BENCH_API_KEY}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
