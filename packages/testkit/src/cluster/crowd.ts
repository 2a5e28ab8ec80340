import { fileURLToPath } from "node:url";
import type { Checker, Payload, Position, SubscriberLog } from "../checker-types.ts";
import {
  type CrowdNote,
  type CrowdOrder,
  type CrowdReport,
  sharedNowMs,
} from "./crowd-messages.ts";

const MAIN = fileURLToPath(new URL("crowd-main.ts", import.meta.url));

/** More subscribers than one process can be, in several; what they are told goes to the one checker. */
export type Crowd = AsyncDisposable & {
  /** Of all its subscribers. */
  readonly names: readonly string[];
  /** How many are connected, as last reported, a tenth of a second ago. */
  readonly connected: number;
  /** When connections were made, in the order of the reports; Unix milliseconds. */
  readonly connectedAtMs: readonly number[];
  /** Of messages to connections that had been there for a while: from what was meant to what was told. */
  readonly latenciesMs: readonly number[];
  /** Notes when a message was meant. */
  meant(payload: Payload): void;
  standsAt(tops: ReadonlyMap<string, Position>): boolean;
};

export type CrowdOptions = Omit<CrowdOrder, "names"> & {
  readonly subscribers: number;
  readonly processes: number;
  readonly checker: Checker;
};

/** Starts them, `crowd-0` and on; they gather by themselves. `await using` ends all. */
export function startCrowd(options: CrowdOptions): Crowd {
  const { subscribers, processes, checker, ...order } = options;
  const names = Array.from({ length: subscribers }, (_, n) => `crowd-${n}`);
  const logs = names.map((name) => checker.subscriber(name, "default"));
  const meantAtMs = new Map<string, number>();
  const connected: number[] = new Array(processes).fill(0);
  const connectedAtMs: number[] = [];
  const latenciesMs: number[] = [];

  function startProcess(_: unknown, place: number) {
    const mine = (n: number) => n % processes === place;
    const own = logs.filter((_, n) => mine(n));
    const payloads: Payload[] = [];
    const child = Bun.spawn([process.execPath, MAIN], {
      ...({ stdin: "ignore", stdout: "inherit", stderr: "inherit" } as const),
      serialization: "json",
      ipc(report: CrowdReport) {
        payloads.push(...report.payloads);
        for (const note of report.notes) take(own, payloads, note);
        connected[place] = report.connected;
        connectedAtMs.push(...report.connectedAtMs);
      },
    });
    child.send({ ...order, names: names.filter((_, n) => mine(n)) } satisfies CrowdOrder);
    return child;
  }

  function take(own: readonly SubscriberLog[], payloads: readonly Payload[], note: CrowdNote) {
    const [log, channel] = [own[note.who], order.channels[note.channel]];
    if (log === undefined || channel === undefined) throw new Error("a note of nobody");
    if (note.kind === "stands") return log.stands(channel, note.told, note.since);
    const payload = payloads[note.payload];
    if (payload === undefined) throw new Error("a note of nothing");
    log.message(channel, note.offset, payload);
    const sinceMs = meantAtMs.get(keyOf(payload));
    if (note.settled && sinceMs !== undefined) latenciesMs.push(note.atMs - sinceMs);
  }

  const children = Array.from({ length: processes }, startProcess);
  return {
    names,
    get connected() {
      return connected.reduce((sum, count) => sum + count, 0);
    },
    connectedAtMs,
    latenciesMs,
    meant: (payload) => void meantAtMs.set(keyOf(payload), sharedNowMs()),
    standsAt: (tops) =>
      logs.every((log) =>
        order.channels.every((channel) => {
          const [at, top] = [log.position(channel), tops.get(channel)];
          return top === undefined || (at?.epoch === top.epoch && at.offset >= top.offset);
        }),
      ),
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(children.map(({ exited }) => exited));
    },
  };
}

function keyOf({ publisher, n }: Payload): string {
  return `${publisher}/${n}`;
}
