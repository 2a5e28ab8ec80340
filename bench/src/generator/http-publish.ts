import { Histogram } from "../histogram.ts";
import type { HttpJob, HttpResult } from "../scenarios/http-publish.ts";
import { BENCH_API_KEY } from "../token.ts";
import { type AnswerSink, type HttpConnection, openHttp } from "./http-connection.ts";
import { keepAwake } from "./keep-awake.ts";
import { type LoadMark, leastDisturbed, loadBetween, markLoad } from "./load.ts";
import { payloadOf } from "./payload.ts";

/** Each connection sends its next request when it has its answer, so that as many are in flight as there are connections. */
const STALL_MS = 20_000;
/** Different requests, so that nobody profits from seeing the same bytes. */
const REQUESTS = 1000;

export async function runHttpPublish(job: HttpJob): Promise<HttpResult[]> {
  const requests = Array.from({ length: REQUESTS }, (_, index) => requestOf(job, index));
  const counter = new PublishCounter();
  const connections = await Promise.all(
    Array.from({ length: job.connections }, () => openHttp(job.port, counter)),
  );
  const result = await leastDisturbed({
    max: job.attemptsMax,
    serverPid: job.serverPid,
    run: () => measure(job, { counter, connections, requests }),
    disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
    isFaulty: ({ requested, answered, offsets }) => requested !== answered || offsets !== requested,
  });
  counter.isOver = true;
  for (const connection of connections) connection.close();
  return [result];
}

type Parties = { counter: PublishCounter; connections: HttpConnection[]; requests: Uint8Array[] };

async function measure(job: HttpJob, parties: Parties): Promise<HttpResult> {
  const { counter } = parties;
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
  const elapsedMs = after.load.atMs - before.load.atMs;
  return {
    scenario: "http",
    requested: counter.requested - requested,
    answered: counter.answered - answered,
    offsets: counter.offsetMax - offsetBefore,
    publishesPerSecond: (publishes / elapsedMs) * 1000,
    serverCpuUsPerPublish: (after.load.serverNs - before.load.serverNs) / 1000 / publishes,
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
    const mark: Mark = { load: markLoad(job.serverPid), answered: this.answered };
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
