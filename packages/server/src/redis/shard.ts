import { createHash } from "node:crypto";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import type { Counters } from "../observe/counters.ts";
import { BlockingLink } from "./blocking-link.ts";
import { CommandLink, NOT_CONNECTED, type RedisArgument } from "./command-link.ts";
import {
  connectForBlocking,
  connectForCommands,
  connectForListening,
  connectForTopics,
  connectForWorking,
  type RedisLink,
  type RedisOptionsInForce,
} from "./connect.ts";
import { hashOf, type KeySpace, keySpace } from "./keys.ts";
import { PlainTopics } from "./plain-topics.ts";
import type { Script } from "./script.ts";
import type { RedisTarget } from "./target.ts";
import { Topics } from "./topics.ts";

/** A stream or a group of it is not there yet, or is already: an answer to who asked, and no trouble with this Redis. */
const ABSENCE = /^(BUSYGROUP|NOGROUP|ERR no such key)/;

/** The server does not know the script: it started anew, or is another one. */
export const NOT_LOADED = Symbol("not loaded");

/** What is counted here. */
export type RedisCounts = Pick<
  Counters,
  "redisCommandsFailed" | "redisTopicLinesRebuilt" | "redisDeafConnections"
>;

export type ShardOptions = RedisOptionsInForce & {
  readonly counts: RedisCounts;
  /** What Redis refuses, or why it cannot be reached: once until it is something else. */
  readonly onTrouble?: (shard: string, error: string) => void;
  readonly prefix: string;
  /** Hash tags; used on Redis Cluster alone, anything else has one. */
  readonly partitions: number;
};

/** Some errors quote what was sent. */
const TROUBLE_MAX_LENGTH = 300;

/** `asking`: an answer in time, or none. `working`: for who has time, and a copy of it blocks. */
export type JobLinks = { readonly asking: RedisLink; readonly working: RedisLink };

export type { RedisArgument } from "./command-link.ts";

/** One independent Redis: a server, a group under Sentinel, or a Redis Cluster. */
export class Shard {
  readonly name: string;
  /** For consistent hashing. */
  readonly seed: number;
  readonly kind: RedisTarget["kind"];
  readonly partitions: readonly [KeySpace, ...KeySpace[]];
  readonly topics: Topics;
  readonly #commands: CommandLink;
  readonly #shas = new WeakMap<Script, string>();
  readonly #target: RedisTarget;
  readonly #options: ShardOptions;
  /** What was told last. */
  #trouble = "";

  constructor(target: RedisTarget, options: ShardOptions) {
    this.#target = target;
    this.#options = options;
    this.name = target.name;
    this.seed = hashOf(target.name);
    this.kind = target.kind;
    const count = target.kind === "cluster" ? options.partitions : 1;
    // Attack: topics know no databases, so that a cluster in another one would hear and be heard here.
    const database = target.database === 0 ? "" : `:db${target.database}`;
    const spaceOf = (n: number) => keySpace(options.prefix + database, n);
    this.partitions = [spaceOf(0), ...Array.from({ length: count - 1 }, (_, i) => spaceOf(i + 1))];
    const sample = this.partitions.map((space) => space.key("slot"));
    this.#commands = new CommandLink(target, options, (error) => this.#tell(messageOf(error)));
    this.#commands.onReady(() => {
      this.#trouble = "";
    });
    this.topics = new Topics({
      connect: (endpoint) => connectForTopics(target, options, endpoint),
      partitions: count,
      onRebuilt: () => options.counts.redisTopicLinesRebuilt++,
      route:
        target.kind === "cluster"
          ? {
              ownerOf: (partition) => this.#commands.ownerOf(sample[partition] ?? ""),
              refresh: () => this.#commands.refresh(),
            }
          : undefined,
    });
    this.#commands.onPlaces(() => this.topics.place());
  }

  /** Runs a script; rejects with {@link BrokerUnavailable} when Redis cannot be reached, refuses, or does not answer in time. */
  async run(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<unknown> {
    const answer = await this.runLoaded(script, keys, args);
    if (answer !== NOT_LOADED) return answer;
    return await this.call("EVAL", script.lua, keys.length, ...keys, ...args);
  }

  /** As {@link run}, where the server knows the script already; {@link NOT_LOADED} and nothing done where it does not. */
  async runLoaded(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<unknown> {
    try {
      return await this.#commands.call("EVALSHA", [
        this.#shaOf(script),
        keys.length,
        ...keys,
        ...args,
      ]);
    } catch (error) {
      if (isNoScript(error)) return NOT_LOADED;
      throw this.#unavailable(error);
    }
  }

  /** To all who hear a topic, which names its partition. Rejects as {@link run} does. */
  async publish(topic: string, message: string | Buffer): Promise<void> {
    await this.call(this.kind === "cluster" ? "SPUBLISH" : "PUBLISH", topic, message);
  }

  /** One command; rejects as {@link run} does. */
  async call(command: string, ...args: readonly RedisArgument[]): Promise<unknown> {
    try {
      return await this.#commands.call(command, args);
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  /** Called whenever the connection for commands is there, for the first time or again. */
  onReady(listener: () => void): void {
    this.#commands.onReady(listener);
  }

  /** A connection for commands that block; whoever opens it closes it. */
  openBlockingLink(): BlockingLink {
    return new BlockingLink(connectForBlocking(this.#target, this.#options));
  }

  /** Connections for BullMQ, which has commands of its own; whoever opens them closes them. */
  openJobLinks(): JobLinks {
    return {
      asking: connectForCommands(this.#target, this.#options),
      working: connectForWorking(this.#target, this.#options),
    };
  }

  /** A connection for topics that others publish to; whoever opens it closes it. */
  openPlainTopics(): PlainTopics {
    return new PlainTopics(() => connectForListening(this.#target, this.#options));
  }

  async close(): Promise<void> {
    this.#commands.close();
    await this.topics.close();
  }

  #unavailable(error: unknown): BrokerUnavailable {
    const message = messageOf(error);
    if (!ABSENCE.test(message)) {
      this.#options.counts.redisCommandsFailed++;
      this.#tell(message);
    }
    return new BrokerUnavailable(`redis: ${message}`, { cause: error });
  }

  /** What follows from having no connection says less than why there is none. */
  #tell(trouble: string): void {
    if (trouble === this.#trouble || trouble === NOT_CONNECTED) return;
    this.#trouble = trouble;
    this.#options.onTrouble?.(this.name, trouble.slice(0, TROUBLE_MAX_LENGTH));
  }

  #shaOf(script: Script): string {
    const known = this.#shas.get(script);
    if (known !== undefined) return known;
    const sha = createHash("sha1").update(script.lua).digest("hex");
    this.#shas.set(script, sha);
    return sha;
  }
}

/** Of a Redis Cluster: what its servers said, where they said something. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const last = "lastNodeError" in error ? error.lastNodeError : undefined;
  return last instanceof Error ? `${error.message} ${last.message}` : error.message;
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
