/** A gateway that is drained and started again on its port, with clients on it. */
import { expect, test } from "bun:test";
import { eventually, startTestGateway } from "@aldis/testkit";
import type { ClientState } from "../src/index.ts";
import { clientOf, range, watch } from "./support/real-clients.ts";

const LOBBY = "chat:lobby";
const CLIENTS = 20;
const CONFIG = {
  namespaces: { chat: { history: { size: 100 } } },
  drain: { windowMs: 400, graceMs: 100 },
};

test("P6: [DR1] [DR2] [SU2] twenty clients of a gateway that is drained and started again come back, are told what is lost, and lose nothing of their own", async () => {
  const first = await startTestGateway({ config: CONFIG });
  const { port, counters } = first.gateway;
  const clients = await Promise.all(
    range(1, CLIENTS).map(async (n) => {
      const token = await first.token({ sub: `user-${n}` });
      const backoff = { minMs: 5, maxMs: 100 };
      const client = clientOf({ url: first.wsUrl, token, backoff });
      const states: ClientState["name"][] = [];
      client.on("state", ({ name }) => states.push(name));
      const sub = client.subscribe(LOBBY, { last: 100 });
      return { client, sub, states, seen: watch(sub) };
    }),
  );
  await Promise.all(clients.map(({ sub }) => sub.ready));
  await first.publish(LOBBY, "old");
  await eventually("all have it", () => clients.every(({ seen }) => seen.data.length === 1));

  await first.gateway.drain();
  // Each moved by itself, at its moment, and was refused.
  expect(counters.connectionsClosedBy).toEqual({ client_other: CLIENTS });
  expect(Object.values(counters.upgradesRefused).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0);
  const published = clients.map(({ client }, n) => client.publish(LOBBY, n + 1));
  await eventually("all keep trying", () =>
    clients.every(({ client }) => client.state.name !== "connected"),
  );
  for (const { states } of clients) expect(states).not.toContain("closed");

  await using second = await startTestGateway({ config: { ...CONFIG, listen: { port } } });
  const bodies = await Promise.all(published);
  expect(bodies.map(({ offset }) => offset).toSorted((a, b) => a - b)).toEqual(range(1, CLIENTS));
  await eventually("all have all", () => clients.every(({ seen }) => seen.offsets.at(-1) === 20));
  for (const { seen } of clients) {
    expect(seen.subscribed.map(({ recovered }) => recovered)).toEqual([false, false]);
    expect(seen.offsets).toEqual([1, ...range(1, CLIENTS)]);
    expect(seen.data.slice(1).toSorted((a, b) => Number(a) - Number(b))).toEqual(range(1, CLIENTS));
  }
  expect(second.gateway.connections).toBe(CLIENTS);
  for (const { client } of clients) client.close();
}, 30_000);
