import { expect, test } from "bun:test";
import { draft, tenant } from "../broker/broker.contract.ts";
import { channelKey } from "../tenant/tenant.ts";
import { PublishTurns } from "./publish-hooks.ts";

test("P3: of the publications that wait for hooks one tenant has three quarters at most, and leaves room for another", async () => {
  const turns = new PublishTurns();
  const { promise: hook, resolve: decide } = Promise.withResolvers<void>();
  const acme = tenant("acme");
  const other = tenant("other");
  const { channel } = draft({ channel: "chat:a" });
  const waiting: Promise<number>[] = [];
  while (turns.hasRoom(acme, 8)) {
    waiting.push(turns.take(channelKey(acme, channel), hook, () => waiting.length));
  }
  expect(turns.pending).toBe(6);
  expect(turns.hasRoom(other, 8)).toBe(true);
  waiting.push(turns.take(channelKey(other, channel), hook, () => waiting.length));
  expect(turns.hasRoom(acme, 100)).toBe(true);
  decide();
  await Promise.all(waiting);
  expect(turns.pending).toBe(0);
  expect(turns.hasRoom(acme, 1)).toBe(true);
});
