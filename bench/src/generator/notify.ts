import { Histogram } from "../histogram.ts";
import type { NotifyJob, NotifyResult } from "../scenarios/notify.ts";
import { BENCH_API_KEY, mintTokens } from "../token.ts";
import type { Connection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { keepAwake } from "./keep-awake.ts";
import { type LoadMark, leastDisturbed, loadBetween, markLoad } from "./load.ts";
import { closeAll, openMany } from "./open-many.ts";

/** A backend that sends to all users at once, and the next when all of them have been told. */
const OPEN_WINDOW = 64;
const USER_PREFIX = "user";
const PUSH_PREFIX = Buffer.from('{"action":"notification"');

export async function runNotify(job: NotifyJob): Promise<NotifyResult[]> {
  const tokens = mintTokens(job.users, USER_PREFIX);
  const connections = await openMany({
    count: job.users,
    window: OPEN_WINDOW,
    options: (index) => ({
      port: job.port,
      dialect: DIALECTS[job.system],
      token: tokens[index] ?? "",
      channel: undefined,
    }),
  });
  const result = await leastDisturbed({
    max: job.attemptsMax,
    serverPid: job.serverPid,
    run: () => measure(job, connections),
    disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
    isFaulty: ({ users, answered, told }) => told !== answered * users,
  });
  closeAll(connections);
  return [result];
}

type Mark = { load: LoadMark; told: number };

async function measure(job: NotifyJob, connections: Connection[]): Promise<NotifyResult> {
  const run = new NotifyRun(job, connections);
  const awake = keepAwake();
  const sending = run.send();
  await Promise.race([Bun.sleep(job.warmUpMs), sending]);
  const before = run.mark();
  run.isMeasured = true;
  await Promise.race([Bun.sleep(job.measureMs), sending]);
  const after = run.mark();
  run.isOver = true;
  await sending;
  awake.stop();
  const told = after.told - before.told;
  const seconds = (after.load.atMs - before.load.atMs) / 1000;
  return {
    scenario: "notify",
    users: connections.length,
    answered: run.answered,
    told: run.told,
    notificationsPerSecond: told / seconds,
    serverCpuUsPerNotification: (after.load.serverNs - before.load.serverNs) / 1000 / told,
    latency: run.latency.dump(),
    ...loadBetween(before.load, after.load),
  };
}

class NotifyRun {
  readonly #job: NotifyJob;
  readonly #body: string;
  readonly #users: number;
  readonly #failed = Promise.withResolvers<never>();
  readonly latency = new Histogram();
  #allTold = Promise.withResolvers<void>();
  answered = 0;
  told = 0;
  isMeasured = false;
  isOver = false;

  constructor(job: NotifyJob, connections: Connection[]) {
    this.#job = job;
    this.#users = connections.length;
    this.#failed.promise.catch(() => {}); // looked at while a call is waited for
    const users = connections.map((_, index) => `${USER_PREFIX}-${index}`);
    this.#body = JSON.stringify({ users, title: "Your order has left", data: { order: 4711 } });
    for (const connection of connections) {
      connection.receive(
        {
          onText: (payload) => this.#take(payload),
          onClosed: (cause) => this.#failed.reject(new Error(`a user was closed: ${cause}`)),
        },
        { wholeFrames: true },
      );
    }
  }

  mark(): Mark {
    return { load: markLoad(this.#job.serverPid), told: this.told };
  }

  /** Until it is over: one call at a time. */
  async send(): Promise<void> {
    while (!this.isOver) {
      this.#allTold = Promise.withResolvers<void>();
      const startMs = performance.now();
      await Promise.race([
        Promise.all([this.#call(), this.#allTold.promise]),
        this.#failed.promise,
      ]);
      if (this.isMeasured && !this.isOver) this.latency.record(performance.now() - startMs);
    }
  }

  async #call(): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.#job.port}/api/notifications`, {
      method: "POST",
      headers: { authorization: `Bearer ${BENCH_API_KEY}`, "content-type": "application/json" },
      body: this.#body,
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
    this.answered++;
  }

  #take(payload: Uint8Array): void {
    for (let place = 0; place < PUSH_PREFIX.length; place++) {
      if (payload[place] !== PUSH_PREFIX[place]) return;
    }
    this.told++;
    if (this.told % this.#users === 0) this.#allTold.resolve();
  }
}
