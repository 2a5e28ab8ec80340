import type { TcpProxy, TestGateway } from "@aldis/testkit";
import {
  type Client,
  type ClientOptions,
  createClient,
  type Message,
  type Subscribed,
  type Subscription,
} from "../../src/index.ts";

/** A client that hurries, so that tests need not wait; connecting, and closed at the end of the test. */
export function clientOf(options: ClientOptions): Client & Disposable {
  const client = createClient({ backoff: { minMs: 1, maxMs: 20 }, ...options });
  client.connect();
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

/** The gateway's address by way of a proxy to it. */
export function through(proxy: TcpProxy, gateway: TestGateway): string {
  const url = new URL(gateway.wsUrl);
  url.port = String(proxy.port);
  return url.href;
}

/** What a subscription is told from now on. */
export function watch(sub: Subscription) {
  const seen = {
    data: [] as unknown[],
    offsets: [] as number[],
    subscribed: [] as Subscribed[],
    skipped: 0,
    ended: [] as (string | undefined)[],
  };
  sub.on("message", (message: Message) => {
    seen.data.push(message.data);
    seen.offsets.push(message.offset);
  });
  sub.on("subscribed", (subscribed) => seen.subscribed.push(subscribed));
  sub.on("skipped", ({ count }) => {
    seen.skipped += count;
  });
  sub.on("unsubscribed", ({ error }) => seen.ended.push(error?.code));
  return seen;
}

/** Whole numbers, both ends in. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
