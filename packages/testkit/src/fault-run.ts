import type { ClientOptions } from "@aldis/client";
import type { ConfigInput } from "@aldis/server";
import { type Bystander, type BystanderReport, startBystander } from "./bystander.ts";
import {
  type CheckedPublisher,
  type CheckedSubscriber,
  startPublisher,
  startSubscriber,
} from "./checked-client.ts";
import { createChecker } from "./checker.ts";
import type { Checker, Fault, Position } from "./checker-types.ts";
import { eventually } from "./eventually.ts";
import { ALLOWED, type Allowance, complaint, tooMuch, watchSamples } from "./fault-verdict.ts";
import { type GatewayProcess, startGatewayProcess } from "./gateway-process.ts";
import type { Sample } from "./gateway-process-messages.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export type FaultRunOptions = {
  readonly config?: ConfigInput;
  readonly channels?: readonly string[];
  /** Real clients that come through the proxy. */
  readonly subscribers?: number;
  /** Real clients that do not: whom the fault does not concern. */
  readonly stayers?: number;
  readonly publishers?: number;
  /** Between an answer and the next publish of a publisher. */
  readonly pauseMs?: number;
  readonly historySize?: number;
  readonly sdk?: Partial<ClientOptions>;
  /** What may remain afterwards beyond what there was before, for the messages that the history now holds. */
  readonly allow?: Partial<Allowance>;
};

/** What a fault is done to. */
export type FaultRun = {
  readonly gateway: GatewayProcess;
  /** Before the subscribers. */
  readonly proxy: TcpProxy;
  /** Before the publishers. */
  readonly publisherProxy: TcpProxy;
  readonly checker: Checker;
  readonly bystander: Bystander;
  readonly subscribers: readonly CheckedSubscriber[];
  readonly stayers: readonly CheckedSubscriber[];
  readonly publishers: readonly CheckedPublisher[];
  /** Waits until so many more messages are acknowledged. */
  published(count: number): Promise<void>;
};

export type FaultReport = {
  readonly faults: readonly Fault[];
  readonly counts: Checker["counts"];
  readonly resumes: Checker["resumes"];
  readonly before: Sample;
  readonly after: Sample;
  /** One a second, while the fault was there. */
  readonly samples: readonly Sample[];
  /** How the bystander did before the fault, and while it was there. */
  readonly quiet: BystanderReport;
  readonly during: BystanderReport;
};

const MIB = 1024 * 1024;
const CHANNELS = ["load:a", "load:b"];
/** Acknowledged messages before the fault begins. */
const WARM_UP = 40;

/**
 * A run under load with one fault in it: a gateway in a process of its own, real clients through a proxy and beside it,
 * publishers, a bystander. Afterwards everybody must have everything, the bystander must have been answered throughout, and memory,
 * descriptors and queues must be back. Throws when that is not so; what was measured on the way is in the report.
 */
export async function runFault(
  options: FaultRunOptions,
  inject: (run: FaultRun) => Promise<void>,
): Promise<FaultReport> {
  await using run = await startRun(options);
  await run.published(WARM_UP);
  run.bystander.look();
  await run.published(WARM_UP);
  const quiet = run.bystander.look();
  const before = await run.gateway.sample({ collect: true });
  const watch = watchSamples(async () => [await run.gateway.sample()]);
  try {
    await inject(run);
  } finally {
    await watch.stop();
  }
  for (const publisher of run.publishers) await publisher.stop();
  await everybodyHasAll(run);
  const during = run.bystander.look();
  const after = await backToBase(run.gateway, before, { ...ALLOWED, ...options.allow });
  const faults = run.checker.finish();
  const { counts, resumes, journal } = run.checker;
  if (faults.length > 0) throw new Error(complaint(faults, journal));
  if (during.trouble !== undefined) throw new Error(`the bystander: ${during.trouble}`);
  if (during.answers === 0) throw new Error("the bystander was never answered");
  return { faults, counts, resumes, before, after, samples: watch.samples, quiet, during };
}

async function startRun(options: FaultRunOptions): Promise<FaultRun & AsyncDisposable> {
  const { historySize = 10_000, channels = CHANNELS } = options;
  const gateway = await startGatewayProcess({
    ...options.config,
    namespaces: {
      load: { history: { size: historySize, maxBytes: 64 * MIB } },
      ...options.config?.namespaces,
    },
  });
  const proxy = startTcpProxy(gateway.port);
  const publisherProxy = startTcpProxy(gateway.port);
  const checker = createChecker(() => historySize, crypto.randomUUID());
  const sdkOf = async (sub: string, url: string) => {
    // Long enough for clocks that jump.
    const exp = Math.floor(Date.now() / 1000) + 24 * 3600;
    const token = await gateway.token({ sub, exp });
    return { publishQueueMax: 10_000, ...options.sdk, url, token };
  };
  const subscribe = (kind: string, count: number, url: string) =>
    Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const name = `${kind}-${n}`;
        return startSubscriber({ name, checker, channels, sdk: await sdkOf(name, url) });
      }),
    );
  const through = ({ port }: TcpProxy) => `ws://127.0.0.1:${port}/ws`;
  const subscribers = await subscribe("subscriber", options.subscribers ?? 10, through(proxy));
  const stayers = await subscribe("stayer", options.stayers ?? 3, gateway.wsUrl);
  const bystander = await startBystander(gateway);
  const publishers = await Promise.all(
    Array.from({ length: options.publishers ?? 2 }, async (_, n) => {
      const name = `publisher-${n}`;
      const log = checker.publisher(name, "default");
      const sdk = await sdkOf(name, through(publisherProxy));
      return startPublisher({ log, channels, sdk, pauseMs: options.pauseMs ?? 5 });
    }),
  );
  return {
    ...{ gateway, proxy, publisherProxy, checker, bystander, subscribers, stayers, publishers },
    async published(count) {
      const enough = checker.counts.acknowledged + count;
      await eventually(`${count} publishes`, () => checker.counts.acknowledged >= enough);
    },
    async [Symbol.asyncDispose]() {
      for (const publisher of publishers) await publisher.stop();
      await bystander.stop();
      for (const each of [...publishers, ...subscribers, ...stayers]) each.close();
      for (const each of [proxy, publisherProxy]) await each[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

async function everybodyHasAll(run: FaultRun): Promise<void> {
  const tops = new Map<string, Position>();
  for (const publisher of run.publishers) {
    for (const [channel, top] of publisher.tops) {
      const known = tops.get(channel);
      if (known === undefined || top.offset > known.offset) tops.set(channel, top);
    }
  }
  for (const subscriber of [...run.subscribers, ...run.stayers]) {
    await eventually("everybody has everything", () => subscriber.standsAt(tops));
  }
}

async function backToBase(
  gateway: GatewayProcess,
  before: Sample,
  allowed: Allowance,
): Promise<Sample> {
  let last = before;
  let left: string | undefined;
  try {
    await eventually("base", async () => {
      last = await gateway.sample({ collect: true });
      left =
        last.connections === before.connections
          ? tooMuch(last, before, allowed)
          : `${last.connections} connections`;
      return left === undefined;
    });
  } catch {
    throw new Error(`not back at base: ${left}; before: ${JSON.stringify(before)}`);
  }
  return last;
}
