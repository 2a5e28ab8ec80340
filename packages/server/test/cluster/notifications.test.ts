/** docs/protocol.md, section Notifications, on several nodes over one store. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import {
  eventually,
  type RawClient,
  type RedisServer,
  startCluster,
  startRedis,
} from "@aldis/testkit";
import { startNodes } from "./nodes.ts";
import { FAST } from "./support/fast-cluster.ts";

const PATH = "/api/notifications";

let redis: RedisServer;
let folder: string;
let files = 0;

beforeAll(async () => {
  redis = await startRedis();
  folder = mkdtempSync(join(tmpdir(), "aldis-notifications-"));
});

afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** All nodes share the machine, and so the file. */
function store(): ConfigInput {
  return { store: { url: `sqlite:${join(folder, `${++files}.db`)}` } };
}

function titles({ all }: RawClient): string[] {
  return all.filter(({ action }) => action === "notification").map(({ data }) => data.title);
}

describe("two nodes", () => {
  test("[NT2] [NT7] [NT8] are one: pushed to devices on both, acknowledged by both at once by one", async () => {
    await using nodes = await startNodes(redis.url, { config: store() });
    const phone = await nodes.at(0).connect({ sub: "ann" });
    const laptop = await nodes.at(1).connect({ sub: "ann" });
    for (let round = 0; round < 10; round++) {
      const audience = round % 2 === 0 ? { user: "ann" } : { tenant: true };
      const message = { ...audience, title: `${round}`, priority: "urgent" };
      const { body } = await nodes.at(round % 2).call("POST", PATH, message);
      await Promise.all([phone.next("notification"), laptop.next("notification")]);
      const answers = await Promise.all(
        [phone, laptop].map((device) =>
          device.must("acknowledge_notification", { ids: [body.id] }),
        ),
      );
      expect(answers.flatMap(({ acknowledged }) => acknowledged)).toEqual([body.id]);
      for (const device of [phone, laptop]) {
        const { data } = await device.next("notification_acknowledged");
        expect(data.ids).toEqual([body.id]);
      }
    }
  });

  test("P4 [NT5] [NT11]: one idempotency key, or one collapse key, on both at once", async () => {
    await using nodes = await startNodes(redis.url, { config: store() });
    for (let round = 0; round < 5; round++) {
      const same = { user: "ann", title: "same", idempotencyKey: `k${round}` };
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => nodes.at(n % 2).call("POST", PATH, same)),
      );
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
      await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          nodes.at(n % 2).call("POST", PATH, { user: "bob", title: `${n}`, collapseKey: "c" }),
        ),
      );
      const { body } = await nodes.at(round % 2).call("GET", `${PATH}/unread-count?user=bob`);
      expect(body).toEqual({ unread: 1 });
    }
    const { body } = await nodes.at(0).call("GET", `${PATH}/unread-count?user=ann`);
    expect(body).toEqual({ unread: 5 });
  });

  test("P5 [NT4] faults 5: while Redis is away a send is committed, and told on the other node when it is back", async () => {
    await using own = await startRedis();
    const config = { ...store(), redis: { commandTimeoutMs: 500 } };
    await using nodes = await startNodes(own.url, { config });
    const here = await nodes.at(0).connect({ sub: "ann" });
    const there = await nodes.at(1).connect({ sub: "ann" });
    await own.pause();
    for (const audience of [{ user: "ann" }, { tenant: true }]) {
      const { status } = await nodes.at(0).call("POST", PATH, { ...audience, title: "kept" });
      expect(status).toBe(200);
    }
    await eventually("those here to be told", () => titles(here).length === 2);
    own.resume();
    await eventually("those there to be told", () => titles(there).length >= 2);
    expect(new Set(titles(there))).toEqual(new Set(["kept"]));
  });
});

test("P4 [NT11] faults 1: a node is killed in the middle of sending to many; what it acknowledged is kept, and the repeat elsewhere reaches all, each once", async () => {
  await using cluster = await startCluster({ nodes: 2, redis, config: { ...FAST, ...store() } });
  const [doomed, other] = [cluster.node(0), cluster.node(1)];
  const single = { user: "u7", title: "single" };
  expect((await doomed.gateway.call("POST", PATH, single)).status).toBe(200);
  const users = Array.from({ length: 5_000 }, (_, n) => `u${n}`);
  const many = { users, title: "many", idempotencyKey: "k" };
  const cut = doomed.gateway.call("POST", PATH, many).catch(() => undefined);
  await eventually("some of them", async () => {
    const { body } = await other.gateway.call("GET", `${PATH}/unread-count?user=u300`);
    return body.unread === 1;
  });
  await doomed.kill();
  await cut;
  const first = await other.gateway.call("POST", PATH, many);
  expect(first).toMatchObject({ status: 200, body: { users: 5_000 } });
  expect(await other.gateway.call("POST", PATH, many)).toEqual(first);
  for (const [user, unread] of [
    ["u0", 1],
    ["u7", 2],
    ["u300", 1],
    ["u4999", 1],
  ] as const) {
    const { body } = await other.gateway.call("GET", `${PATH}/unread-count?user=${user}`);
    expect(body).toEqual({ unread });
  }
}, 60_000);
