/** `kill -9` of the whole gateway while it records and posts, again and again: what was acknowledged arrives, in order. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSeededRandom, eventually, startGatewayProcess } from "@aldis/testkit";
import {
  CONFIG,
  expectInOrder,
  killAndStopWorkers,
  missingOf,
  publishUntilKilled,
} from "./killing.ts";
import { startReceiver } from "./receiver-server.ts";

const ROUNDS = 4;

test("[WH8] faults 12: kill -9 in the middle of recording and posting, again and again: what was acknowledged arrives, in order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "aldis-webhooks-"));
  const config = { ...CONFIG, store: { url: `sqlite:${join(folder, "aldis.db")}` } };
  const random = createSeededRandom(Date.now());
  await using receiver = startReceiver();
  receiver.answer = async () => {
    const chance = random.next();
    if (chance < 0.1) return new Response("no", { status: 500 });
    await Bun.sleep(chance * 20);
    return new Response("ok");
  };
  const acknowledged: string[] = [];
  const isMissing = missingOf(receiver, acknowledged);
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await using gateway = await startGatewayProcess(config);
      if (round === 0) {
        const body = { url: receiver.url, types: ["message.published"] };
        receiver.secret = (await gateway.call("POST", "/api/webhooks", body)).body.secret;
      }
      const came = receiver.got.length;
      const publishing = publishUntilKilled(gateway, round, acknowledged).catch(() => {
        // It was killed, which is what this is about.
      });
      await eventually("some of it", () => receiver.got.length > came + random.between(1, 20));
      gateway.kill("SIGKILL");
      await gateway.exited;
      await publishing;
    }
    await using _ = await startGatewayProcess(config);
    await eventually("all that was acknowledged", () => !isMissing());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  expect(acknowledged.length).toBeGreaterThan(ROUNDS);
  expect(receiver.wrong).toEqual([]);
  expectInOrder(receiver);
}, 60_000);

test("[WH8] faults 4, 12: workers that are killed, or stand still for longer than their lease and go on, lose nothing and keep the order", async () => {
  await killAndStopWorkers();
}, 60_000);
