import { Cluster } from "ioredis";
import { connectForCommands, type RedisLink, type RedisOptionsInForce } from "./connect.ts";
import { slotOf } from "./keys.ts";
import type { Endpoint, RedisTarget } from "./target.ts";

export type RedisArgument = string | number | Buffer;

/** Said of a command that found no connection in time. */
export const NOT_CONNECTED = "not connected";

/** Commands that wait for the connection, at most. */
const WAITING_MAX = 10_000;

/** The connection, or connections, of a shard for commands. */
export class CommandLink {
  readonly #link: RedisLink;
  readonly #timeoutMs: number;
  /** `late`: away for so long that nothing waits for it any more. */
  #state: "ready" | "away" | "late" = "away";
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  #timer: ReturnType<typeof setTimeout>;

  /** `onTrouble` is told of what keeps it from being there. */
  constructor(
    target: RedisTarget,
    options: RedisOptionsInForce,
    onTrouble: (error: unknown) => void,
  ) {
    this.#timeoutMs = options.commandTimeoutMs;
    this.#link = connectForCommands(target, options);
    this.#link.on("error", onTrouble);
    this.#link.on("ready", () => this.#onReady());
    this.#link.on("close", () => this.#onClose());
    this.#timer = setTimeout(() => this.#giveUp(), this.#timeoutMs);
  }

  /** Waits a moment for a connection that is on its way, then rejects; rejects too when there is no answer in time. */
  async call(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    if (this.#state !== "ready") await this.#ready();
    const answer = this.#link.call(command, ...args);
    // Of a Redis Cluster an answer may be asked for several times.
    return await (this.#link instanceof Cluster ? this.#inTime(answer) : answer);
  }

  /** Of a Redis Cluster: the master that has the slot of `key`. */
  ownerOf(key: string): Endpoint | undefined {
    if (!(this.#link instanceof Cluster)) return undefined;
    const node = this.#link.slots[slotOf(key)]?.[0];
    if (node === undefined) return undefined;
    const colon = node.lastIndexOf(":");
    return { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) };
  }

  /** Asks where the slots are; done when that is known, or cannot be. */
  async refresh(): Promise<void> {
    const link = this.#link;
    if (!(link instanceof Cluster)) return;
    await new Promise<void>((resolve) => link.refreshSlotsCache(() => resolve()));
  }

  /** Called whenever a Redis Cluster has told where its slots are. */
  onPlaces(listener: () => void): void {
    if (this.#link instanceof Cluster) this.#link.on("refresh", listener);
  }

  /** Called whenever the connection is there, for the first time or again. */
  onReady(listener: () => void): void {
    this.#link.on("ready", listener);
  }

  close(): void {
    this.#link.removeAllListeners();
    this.#link.on("error", () => {});
    this.#link.disconnect();
    this.#giveUp();
  }

  #onReady(): void {
    this.#state = "ready";
    clearTimeout(this.#timer);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #onClose(): void {
    if (this.#state !== "ready") return;
    this.#state = "away";
    this.#timer = setTimeout(() => this.#giveUp(), this.#timeoutMs);
  }

  #giveUp(): void {
    this.#state = "late";
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(NOT_CONNECTED));
  }

  async #ready(): Promise<void> {
    const waits = this.#state === "away" && this.#waiting.length < WAITING_MAX;
    if (!waits) throw new Error(NOT_CONNECTED);
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async #inTime(answer: Promise<unknown>): Promise<unknown> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("no answer in time")), this.#timeoutMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
