import { expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import type { OutboundOutcome } from "../plugins/index.ts";
import { answered, Receiver } from "./test/receiver.ts";
import { ACME, createWorld, OTHER } from "./test/world.ts";

const urlOf = (name: string) => `https://${name}.example/hook`;

test("[WH11] endpoints that hang hold up no other tenant, and of their own so many at a time", async () => {
  const config = { batchMs: 0, sendsPerTenant: 2, slowSends: 3 };
  await using world = await createWorld({ config });
  const node = world.node();
  const receiver = new Receiver();
  world.receive = receiver.receive;
  const hangs: ((outcome: OutboundOutcome) => void)[] = [];
  receiver.answer = (_, { url }) =>
    url.includes("hangs") ? new Promise((resolve) => hangs.push(resolve)) : answered(200);
  for (let index = 0; index < 5; index++) await node.add({ url: urlOf("hangs") });
  await node.add({ url: urlOf("fine") }, OTHER);
  await node.record("e1");
  const event = { type: "a.b", id: "e1", atMs: 1, data: {} };
  await node.parts.recorder.record(OTHER, event);
  const turns = world.jobs.due.map((key) => world.jobs.run(node, key));
  await eventually("the fine one has it", () => receiver.got.length === 3 && hangs.length === 2);
  for (const answer of hangs.splice(0)) answer({ kind: "failed", why: "timeout", sent: true });
  await Promise.all(turns);
  world.clock.advance(500);
  // Those that had to wait have their turn now.
  const next = world.jobs.due.map((key) => world.jobs.run(node, key));
  await eventually("two more", () => hangs.length === 2);
  for (const answer of hangs.splice(0)) answer(answered(200));
  await Promise.all(next);
});

test("[WH11] slow and failing endpoints of all tenants together leave room for the others", async () => {
  const config = { batchMs: 0, sendsPerTenant: 10, slowSends: 2 };
  await using world = await createWorld({ config });
  const node = world.node();
  const receiver = new Receiver();
  world.receive = receiver.receive;
  receiver.answer = () => answered(500);
  for (let index = 0; index < 4; index++) await node.add({}, index % 2 === 0 ? ACME : OTHER);
  const event = { type: "a.b", id: "e1", atMs: 1, data: {} };
  for (const tenant of [ACME, OTHER]) await node.parts.recorder.record(tenant, event);
  await world.jobs.runDue(node);
  expect(receiver.got).toHaveLength(4);
  const hangs: ((outcome: OutboundOutcome) => void)[] = [];
  receiver.answer = () => new Promise((resolve) => hangs.push(resolve));
  world.clock.advance(60_000);
  const turns = world.jobs.due.map((key) => world.jobs.run(node, key));
  await eventually("two are tried again", () => hangs.length === 2);
  expect(receiver.got).toHaveLength(6);
  for (const answer of hangs.splice(0)) answer(answered(200));
  await Promise.all(turns);
});

test("attack [WH11]: an endpoint that takes everything slowly gives its place back after each answer, and is one of the slow ones from then on", async () => {
  const config = { batchMs: 0, batchMax: 1, sendsPerTenant: 10, slowSends: 1 };
  await using world = await createWorld({ config });
  const node = world.node();
  const receiver = new Receiver();
  world.receive = receiver.receive;
  const hangs: ((outcome: OutboundOutcome) => void)[] = [];
  receiver.answer = () => new Promise((resolve) => hangs.push(resolve));
  for (const tenant of [ACME, OTHER]) {
    await node.add({}, tenant);
    for (const id of ["e1", "e2", "e3"]) {
      await node.parts.recorder.record(tenant, { type: "a.b", id, atMs: 1, data: {} });
    }
  }
  const turns = world.jobs.due.map((key) => world.jobs.run(node, key));
  await eventually("both are asked", () => hangs.length === 2);
  world.clock.advance(10_000);
  for (const answer of hangs.splice(0)) answer(answered(200));
  await Promise.all(turns);
  expect(receiver.got).toHaveLength(2);
  const next = world.jobs.due.map((key) => world.jobs.run(node, key));
  await eventually("one is asked again", () => hangs.length === 1);
  world.clock.advance(10_000);
  for (const answer of hangs.splice(0)) answer(answered(200));
  await Promise.all(next);
  expect(receiver.got).toHaveLength(3);
});
