import { BrokerUnavailable } from "../broker/broker.ts";
import { connectRedis, type RedisLink, type RedisOptionsInForce } from "./connect.ts";
import { hashOf, type KeySpace, keySpace } from "./keys.ts";
import type { Script } from "./script.ts";
import type { RedisTarget } from "./target.ts";
import { Topics } from "./topics.ts";

export type ShardOptions = RedisOptionsInForce & {
  readonly prefix: string;
  /** Hash tags; used on Redis Cluster alone, anything else has one. */
  readonly partitions: number;
};

export type RedisArgument = string | number | Buffer;

/** One independent Redis: a server, a group under Sentinel, or a Redis Cluster. */
export class Shard {
  readonly name: string;
  /** For consistent hashing. */
  readonly seed: number;
  readonly partitions: readonly KeySpace[];
  readonly topics: Topics;
  readonly #commands: RedisLink;
  readonly #known = new Set<string>();

  constructor(target: RedisTarget, options: ShardOptions) {
    this.name = target.name;
    this.seed = hashOf(target.name);
    const count = target.kind === "cluster" ? options.partitions : 1;
    this.partitions = Array.from({ length: count }, (_, i) => keySpace(options.prefix, i));
    this.#commands = connectRedis(target, "commands", options);
    // A lost connection shows in what is asked of it; without a listener it would be printed.
    this.#commands.on("error", () => {});
    this.topics = new Topics(connectRedis(target, "subscribe", options), {
      sharded: target.kind === "cluster",
    });
  }

  /** Runs a script; rejects with {@link BrokerUnavailable} when Redis cannot be reached, refuses, or does not answer in time. */
  async run(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<unknown> {
    if (!this.#known.has(script.name)) {
      this.#known.add(script.name);
      this.#commands.defineCommand(script.name, { lua: script.lua, numberOfKeys: script.keys });
    }
    const call: unknown = Reflect.get(this.#commands, script.name);
    if (typeof call !== "function") throw new Error(`no command ${script.name}`);
    return await this.#guard(call.call(this.#commands, ...keys, ...args));
  }

  /** One command; rejects as {@link run} does. */
  async call(command: string, ...args: readonly RedisArgument[]): Promise<unknown> {
    return await this.#guard(this.#commands.call(command, ...args));
  }

  async close(): Promise<void> {
    this.#commands.disconnect();
    await this.topics.close();
  }

  async #guard(answer: Promise<unknown>): Promise<unknown> {
    try {
      return await answer;
    } catch (error) {
      throw new BrokerUnavailable(`redis: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}
