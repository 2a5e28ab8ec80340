import { type Client, type ClientOptions, createClient, type Message } from "@aldis/client";
import type { Checker, Payload, Position, PublisherLog } from "./checker-types.ts";
import { eventually } from "./eventually.ts";

/** A client that hurries, so that a run need not wait for its backoff. */
const HURRY = { backoff: { minMs: 5, maxMs: 200 } };

export type CheckedSubscriber = {
  readonly client: Client;
  /** Whether it stands at all of these places. */
  standsAt(tops: ReadonlyMap<string, Position>): boolean;
  close(): void;
};

type SubscriberParts = {
  readonly name: string;
  readonly tenant?: string;
  readonly checker: Checker;
  readonly channels: readonly string[];
  readonly sdk: ClientOptions;
};

/** The real client, subscribed to some channels, which tells the checker all that it is told. Resolves when it is there. */
export async function startSubscriber(parts: SubscriberParts): Promise<CheckedSubscriber> {
  const { name, tenant = "default", checker, channels, sdk } = parts;
  const log = checker.subscriber(name, tenant);
  const client = createClient({ ...HURRY, ...sdk });
  const subscriptions = channels.map((channel) => {
    const subscription = client.subscribe(channel);
    subscription.on("subscribed", ({ recovered, position }) => {
      if (position === undefined) return;
      const since = log.position(channel);
      // What was recovered follows from where the client stood; else it begins at the top.
      const from = recovered && since !== undefined ? since : position;
      log.stands(channel, { ...from, recovered }, since && { ...since });
    });
    subscription.on("message", (message: Message) => {
      log.message(channel, message.offset, message.data as unknown as Payload);
    });
    return subscription;
  });
  client.connect();
  await Promise.all(subscriptions.map(({ ready }) => ready));
  return {
    client,
    standsAt: (tops) =>
      channels.every((channel) => {
        const [at, top] = [log.position(channel), tops.get(channel)];
        return top === undefined || (at?.epoch === top.epoch && at.offset >= top.offset);
      }),
    close: () => client.close(),
  };
}

export type CheckedPublisher = {
  readonly client: Client;
  /** How many publishes were acknowledged. */
  readonly acknowledged: number;
  /** Publishes that ended with an error: such may go either way. */
  readonly refused: readonly string[];
  /** The place of the last acknowledged message of each channel. */
  readonly tops: ReadonlyMap<string, Position>;
  /** After the answer to the last publish. It stays connected. */
  stop(): Promise<void>;
  /** After that: one more message to each channel, again until it is acknowledged. Gives where these are: the ends of all. */
  finish(): Promise<ReadonlyMap<string, Position>>;
  close(): void;
};

type PublisherParts = {
  readonly log: PublisherLog;
  readonly channels: readonly string[];
  readonly sdk: ClientOptions;
  /** Between an answer and the next publish. */
  readonly pauseMs: number;
};

/** Publishes to each channel in turn, one message at a time, until it is stopped. */
export function startPublisher({ log, channels, sdk, pauseMs }: PublisherParts): CheckedPublisher {
  const client = createClient({ ...HURRY, ...sdk });
  const tops = new Map<string, Position>();
  const refused: string[] = [];
  let acknowledged = 0;
  let stopped = false;

  /** Undefined when it was refused. */
  async function publish(channel: string): Promise<Position | undefined> {
    const payload = log.intend(channel);
    try {
      const { offset, epoch } = await client.publish(channel, payload);
      log.acknowledge(payload, { offset, epoch });
      tops.set(channel, { offset, epoch });
      acknowledged++;
      return { offset, epoch };
    } catch (error) {
      refused.push(String(error));
      return undefined;
    }
  }

  async function go(): Promise<void> {
    for (let n = 0; !stopped; n++) {
      await publish(channels[n % channels.length] ?? "");
      await Bun.sleep(pauseMs);
    }
  }

  client.connect();
  const going = go();
  return {
    client,
    get acknowledged() {
      return acknowledged;
    },
    refused,
    tops,
    async stop() {
      stopped = true;
      await going;
    },
    async finish() {
      const ends = new Map<string, Position>();
      for (const channel of channels) {
        ends.set(channel, await eventually("an answer to a publish", () => publish(channel)));
      }
      return ends;
    },
    close: () => client.close(),
  };
}
