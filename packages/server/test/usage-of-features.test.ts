/** [QU7]: what features do for a tenant, over real sockets. */
import { expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { openWorld } from "./backend-calls/support.ts";
import { startReceiver } from "./webhooks/receiver-server.ts";
import { addEndpoint, QUICK, startWithStore } from "./webhooks/start-with-store.ts";

type Days = { readonly days: readonly Record<string, unknown>[] };

test("[QU7] requests that a receiver of webhooks took are counted, those that it did not are not", async () => {
  await using receiver = startReceiver();
  await using gateway = await startWithStore({
    ...QUICK,
    webhooks: { ...QUICK.webhooks, batchMax: 1 },
  });
  await addEndpoint(gateway, receiver);
  let asked = 0;
  receiver.answer = () => new Response(null, { status: ++asked === 1 ? 500 : 200 });
  for (let n = 0; n < 3; n++) await gateway.publish("chat:lobby", n);
  await eventually("all of them to be counted", async () => {
    const { body } = await gateway.call("GET", "/api/usage");
    const counts = (body as Days).days.map((day) => Number(day["webhookDeliveries"]));
    return counts.reduce((sum, count) => sum + count, 0) === 3;
  });
  expect(asked).toBe(4);
});

test("[QU7] questions that the tenant's backend answered are counted, those without an answer are not", async () => {
  await using world = await openWorld(({ method }) =>
    method === "fails" ? new Response(null, { status: 500 }) : { result: 1 },
  );
  const { gateway } = world;
  await world.set();
  const ann = await gateway.connect();
  for (let n = 0; n < 2; n++) await ann.must("rpc", { method: "works" });
  await ann.refused("rpc", { method: "fails" });
  const { body } = await gateway.call("GET", "/api/usage");
  expect((body as Days).days).toMatchObject([{ backendCalls: 2, webhookDeliveries: 0 }]);
});
