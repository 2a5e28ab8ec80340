// A process of `startCrowd`: many subscribers, and reports of all that they are told.
import { type Client, createClient } from "@aldis/client";
import type { Payload, Position } from "../checker-types.ts";
import { accessTo } from "../gateway-access.ts";
import {
  type CrowdNote,
  type CrowdOrder,
  type CrowdReport,
  sharedNowMs,
} from "./crowd-messages.ts";
import { type Turns, watchTurns } from "./turns.ts";

const REPORT_EVERY_MS = 100;
/** What comes within this time of a connect may be what was missed. */
const SETTLED_AFTER_MS = 2_000;
/** Of one process at the same time, while the crowd gathers. */
const GATHER_AT_ONCE = 50;
/** Where nobody listens: no node is ready. */
const NOWHERE = 1;

class Crowd {
  readonly #order: CrowdOrder;
  readonly #turns: Turns;
  readonly #payloads = new Map<string, number>();
  readonly #clients: Client[] = [];
  #fresh: Payload[] = [];
  #notes: CrowdNote[] = [];
  #connectedAtMs: number[] = [];

  constructor(order: CrowdOrder) {
    this.#order = order;
    this.#turns = watchTurns(order.ports);
  }

  async gather(): Promise<void> {
    while (this.#turns.inTurn.length < this.#order.ports.length) await Bun.sleep(10);
    let next = 0;
    const some = Array.from({ length: GATHER_AT_ONCE }, async () => {
      while (next < this.#order.names.length) await this.#join(next++);
    });
    await Promise.all(some);
  }

  report(): CrowdReport {
    const connected = this.#clients.filter(({ state }) => state.name === "connected").length;
    const report = { payloads: this.#fresh, notes: this.#notes, connected };
    const connectedAtMs = this.#connectedAtMs;
    this.#fresh = [];
    this.#notes = [];
    this.#connectedAtMs = [];
    return { ...report, connectedAtMs };
  }

  async #join(who: number): Promise<void> {
    const sub = this.#order.names[who] ?? "";
    const exp = Math.floor(Date.now() / 1000) + 24 * 3600;
    const token = await accessTo("").token({ sub, exp });
    const client = createClient({
      ...this.#order.sdk,
      ...{ url: "ws://balanced/ws", token, WebSocket: balanced(this.#turns) },
    });
    this.#clients.push(client);
    let sinceMs = 0;
    client.on("state", ({ name }) => {
      if (name !== "connected") return;
      sinceMs = sharedNowMs();
      this.#connectedAtMs.push(sinceMs);
    });
    const settled = (atMs: number) =>
      client.state.name === "connected" && atMs - sinceMs > SETTLED_AFTER_MS;
    client.connect();
    await Promise.all(
      this.#order.channels.map((_, channel) => this.#listen(client, { who, channel, settled })),
    );
  }

  async #listen(
    client: Client,
    place: { who: number; channel: number; settled: (atMs: number) => boolean },
  ): Promise<void> {
    const { who, channel, settled } = place;
    const subscription = client.subscribe(this.#order.channels[channel] ?? "");
    let at: Position | undefined;
    subscription.on("subscribed", ({ recovered, position }) => {
      if (position === undefined) return;
      const since = at;
      // What was recovered follows from where the client stood; else it begins at the top.
      at = recovered && since !== undefined ? since : position;
      const told = { offset: at.offset, epoch: at.epoch, recovered };
      this.#notes.push({ kind: "stands", who, channel, told, since });
    });
    subscription.on("message", ({ offset, data }) => {
      if (at !== undefined && offset > at.offset) at = { offset, epoch: at.epoch };
      const [atMs, payload] = [sharedNowMs(), this.#placeOf(data as unknown as Payload)];
      const message = { kind: "message", who, channel, offset, payload, atMs } as const;
      this.#notes.push({ ...message, settled: settled(atMs) });
    });
    await subscription.ready;
  }

  #placeOf(payload: Payload): number {
    const text = JSON.stringify(payload);
    const known = this.#payloads.get(text);
    if (known !== undefined) return known;
    const place = this.#payloads.size;
    this.#payloads.set(text, place);
    this.#fresh.push(payload);
    return place;
  }
}

/** Each connection goes to the next node that is ready: no proxy, which would cost more than clients and nodes. */
function balanced(turns: Turns) {
  return class extends WebSocket {
    constructor(url: string, protocol?: string) {
      const there = url.replace("balanced", `127.0.0.1:${turns.next() ?? NOWHERE}`);
      if (protocol === undefined) super(there);
      else super(there, protocol);
    }
  };
}

process.on("message", async (order: CrowdOrder) => {
  const crowd = new Crowd(order);
  setInterval(() => process.send?.(crowd.report()), REPORT_EVERY_MS);
  await crowd.gather();
});
// Whoever started it is gone.
process.on("disconnect", () => process.exit(0));
