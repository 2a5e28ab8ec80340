/** What the tests that kill gateways and workers are made of. */
import { expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import {
  createSeededRandom,
  eventually,
  freezeBetweenCommits,
  type GatewayProcess,
  startGatewayProcess,
} from "@aldis/testkit";
import { type ReceiverServer, startReceiver } from "./receiver-server.ts";

export const PUBLISHED_A_ROUND = 80;

export const CONFIG: ConfigInput = {
  outbound: { allowPrivate: ["127.0.0.1"] },
  webhooks: { batchMs: 0, batchMax: 5, backoffMs: 20, backoffMaxMs: 100, timeoutMs: 1_000 },
  jobs: { pollMs: 20, leaseMs: 1_000, sweepMs: 300 },
};

/** Publishes until the gateway is killed, each with its own key, again when it is told to; those that were answered, were acknowledged. */
export async function publishUntilKilled(
  gateway: GatewayProcess,
  round: number,
  acknowledged: string[],
): Promise<void> {
  for (let n = 0; n < PUBLISHED_A_ROUND; n++) {
    const name = `${round}-${n}`;
    const body = { channel: "chat:lobby", data: { name }, idempotencyKey: name };
    // Where others write to the same file it may take too long to be recorded.
    await eventually(`${name} to be published`, async () => {
      const { status } = await gateway.call("POST", "/api/publish", body);
      return status === 200;
    });
    acknowledged.push(name);
  }
}

/** As WH8 has it: numbers without gaps as they first come, and what comes again is the same request. */
export function expectInOrder({ got }: ReceiverServer): void {
  const bodies = new Map<string, string>();
  const numbers: number[] = [];
  for (const { id, body, events } of got) {
    const known = bodies.get(id);
    if (known !== undefined) expect(body).toBe(known);
    else numbers.push(...events.map(({ seq }) => seq));
    bodies.set(id, body);
  }
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
}

/** Whether anything that was acknowledged has not come. */
export function missingOf(
  receiver: ReceiverServer,
  acknowledged: readonly string[],
): () => boolean {
  return () => {
    const came = new Set(
      receiver.events.map(({ data }) => (data["data"] as { name: string }).name),
    );
    return acknowledged.some((name) => !came.has(name));
  };
}

/** A gateway that works no queue, and two workers at a time: one is stopped for longer than its lease, the other killed meanwhile, and then the first goes on. */
export async function killAndStopWorkers(more: ConfigInput = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "aldis-webhooks-"));
  const path = join(folder, "aldis.db");
  const store = { url: `sqlite:${path}` };
  const random = createSeededRandom(Date.now());
  await using receiver = startReceiver();
  receiver.answer = async () => {
    await Bun.sleep(random.between(0, 30));
    return new Response("ok", { status: random.chance(0.1) ? 503 : 200 });
  };
  const acknowledged: string[] = [];
  const isMissing = missingOf(receiver, acknowledged);
  const worker = () =>
    startGatewayProcess({
      ...CONFIG,
      ...more,
      store,
      jobs: { ...CONFIG.jobs, queues: ["webhooks"] },
    });
  try {
    await using gateway = await startGatewayProcess({
      ...{ ...CONFIG, ...more, store },
      jobs: { ...CONFIG.jobs, queues: [] },
    });
    const body = { url: receiver.url, types: ["message.published"] };
    receiver.secret = (await gateway.call("POST", "/api/webhooks", body)).body.secret;
    for (let round = 0; round < 3; round++) {
      const [one, two] = await Promise.all([worker(), worker()]);
      await using first = one;
      await using second = two;
      const came = receiver.got.length;
      const publishing = publishUntilKilled(gateway, round, acknowledged);
      await eventually("some of it", () => receiver.got.length > came + random.between(1, 5));
      await freezeBetweenCommits(first.pid, path);
      await eventually("the other one goes on", () => receiver.got.length > came + 8);
      second.kill("SIGKILL");
      await second.exited;
      first.resume();
      await publishing;
      await eventually("all that was acknowledged", () => !isMissing());
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  expect(acknowledged.length).toBe(3 * PUBLISHED_A_ROUND);
  expect(receiver.wrong).toEqual([]);
  expectInOrder(receiver);
}
