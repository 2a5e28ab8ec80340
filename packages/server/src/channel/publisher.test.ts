import { describe, expect, test } from "bun:test";
import type { Json } from "@aldis/protocol";
import { createFakeClock } from "@aldis/testkit";
import { draft, tenant } from "../broker/broker.contract.ts";
import type { Broker, Draft } from "../broker/broker.ts";
import { type NamespaceInput, namespaceSchema } from "../config/namespace-schema.ts";
import { openLoneHub } from "../hub/test/lone-hub.ts";
import { createChannelRates } from "../limits/channel-rates.ts";
import { createCounters } from "../observe/counters.ts";
import type { ChannelKey } from "../tenant/tenant.ts";
import { Namespaces } from "./namespaces.ts";
import { createPublisher, type PublishRequest } from "./publisher.ts";

function open(input: NamespaceInput = {}) {
  const published: { key: ChannelKey; draft: Draft; size: number }[] = [];
  const broker: Pick<Broker, "publish"> = {
    publish(key, what, history) {
      published.push({ key, draft: what, size: history.size });
      return { offset: published.length, epoch: "e", kind: "published", duplicate: false };
    },
  };
  const clock = createFakeClock();
  const counters = createCounters();
  const namespaces = new Namespaces(
    { chat: namespaceSchema.parse(input) },
    namespaceSchema.parse({}),
  );
  const publisher = createPublisher({
    ...{ broker: broker as Broker, namespaces, counters, hub: openLoneHub() },
    rates: createChannelRates({ clock, onForgotten: () => {} }, 100),
  });
  const publish = (parts: Partial<PublishRequest>) =>
    publisher.publish({
      tenant: tenant("acme"),
      channel: draft({ channel: "chat:a" }).channel,
      event: undefined,
      key: undefined,
      data: 1,
      from: undefined,
      exclude: undefined,
      idempotencyKey: undefined,
      idempotencyScope: "api",
      version: undefined,
      ...parts,
    });
  const errorOf = (data: Json) => {
    const result = publish({ data });
    return result.ok ? "published" : result.error;
  };
  return { published, counters, publish, errorOf };
}

describe("Publisher", () => {
  test("P2: publishes under the tenant's key, with the namespace's history", () => {
    const { published, publish } = open({ history: { size: 7 } });
    publish({});
    publish({ channel: draft({ channel: "other" }).channel });
    expect(published.map(({ key, size }) => [key, size])).toEqual([
      ["acme/chat:a", 7] as unknown as [ChannelKey, number],
      ["acme/other", 100] as unknown as [ChannelKey, number],
    ]);
  });

  test.each<[number, Json, string]>([
    [10, "12345678", "published"],
    [10, "123456789", "too_large"],
    [10, "éééé", "published"],
    [10, "ééééé", "too_large"],
    [11, "ééééx", "published"],
    [10, "😀😀", "published"],
    [9, "😀😀", "too_large"],
    [11, "€€€", "published"],
    [10, "€€€", "too_large"],
    [7, '"\\n', "published"],
    [6, '"\\n', "too_large"],
    [1, 7, "published"],
    [1, 77, "too_large"],
    [8, "\ud800", "published"],
    [7, "\ud800", "too_large"],
  ])("[PB5] at most %p bytes: %p is %s", (messageMaxBytes, data, expected) => {
    expect(open({ messageMaxBytes }).errorOf(data)).toBe(expected);
  });

  test("[PB5] the limit is that of bytes as UTF-8, for any length and kind of text", () => {
    for (const unit of ["x", "é", "€", "😀"]) {
      for (let length = 1; length < 40; length++) {
        const data = unit.repeat(length);
        const bytes = Buffer.byteLength(JSON.stringify(data));
        expect(open({ messageMaxBytes: bytes }).errorOf(data)).toBe("published");
        expect(open({ messageMaxBytes: bytes - 1 }).errorOf(data)).toBe("too_large");
      }
    }
  });

  test("what is refused is neither published nor counted", () => {
    const { published, counters, errorOf } = open({ messageMaxBytes: 1 });
    errorOf("xx");
    expect([published.length, counters.publications]).toEqual([0, 0]);
  });

  test("faults 25: nesting that no serialiser's stack holds is refused, and breaks nothing", () => {
    const { published, errorOf } = open({ messageMaxBytes: 16 * 1024 * 1024 });
    let deep: Json = 1;
    for (let n = 0; n < 1_000_000; n++) deep = [deep];
    expect(errorOf(deep)).toBe("bad_request");
    expect(published).toEqual([]);
    expect(errorOf([[[1]]])).toBe("published");
  });

  test("faults 25: numbers, `__proto__` and odd text are stored as JSON has them", () => {
    const { published, publish } = open();
    const data = JSON.parse(
      '{"__proto__":{"x":1},"n":-0.0,"big":1e400,"u":"\\ud800\\u0000"}',
    ) as Json;
    publish({ data });
    expect(published[0]?.draft.payloadJson).toBe(
      '"data":{"__proto__":{"x":1},"n":0,"big":null,"u":"\\ud800\\u0000"}',
    );
  });

  test("[PB2] idempotency keys belong to their scope", () => {
    const { published, publish } = open();
    const keys: [string, string][] = [
      ["user ann", "k"],
      ["user bob", "k"],
      ["api", "k"],
      ["api", "user ann k"],
      ["user a", "b c"],
      ["user a b", "c"],
      ["user a", "b\u0000c"],
      ["user a\\", "b"],
      ["user a", "\\ b"],
    ];
    for (const [idempotencyScope, idempotencyKey] of keys)
      publish({ idempotencyScope, idempotencyKey });
    const scoped = published.map(({ draft: what }) => what.idempotencyKey);
    expect(new Set(scoped).size).toBe(keys.length);
    publish({ idempotencyScope: "user ann", idempotencyKey: "k" });
    expect(published.at(-1)?.draft.idempotencyKey).toBe(scoped[0]);
    publish({});
    expect(published.at(-1)?.draft.idempotencyKey).toBeUndefined();
  });
});
