/** Channels that a backend puts a client into, at a real gateway, over a network that breaks. */
import { expect, test } from "bun:test";
import {
  createSeededRandom,
  eventually,
  startTcpProxy,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";
import type { Client, Subscription } from "../src/index.ts";
import { clientOf, range, through, watch } from "./support/real-clients.ts";

const LOBBY = "chat:lobby";
const CONFIG = { namespaces: { chat: { history: { size: 1_000 } } } };

function control(gateway: TestGateway, action: "subscribe" | "unsubscribe") {
  return gateway.call("POST", `/api/users/ann/${action}`, { channel: LOBBY });
}

/** What is granted to the client, each with all that it is told. */
function grantsOf(client: Client) {
  const grants: { readonly sub: Subscription; readonly seen: ReturnType<typeof watch> }[] = [];
  client.on("granted", (sub) => grants.push({ sub, seen: watch(sub) }));
  return grants;
}

test("[SE9] [HT9] a granted channel is kept over cuts without loss, until the backend ends it", async () => {
  await using gateway = await startTestGateway({ config: CONFIG });
  await using proxy = startTcpProxy(gateway.gateway.port);
  const token = await gateway.token({ capabilities: {} });
  using client = clientOf({ url: through(proxy, gateway), token });
  const grants = grantsOf(client);
  await client.ready();
  await gateway.publish(LOBBY, "before");
  await control(gateway, "subscribe");
  const { sub, seen } = await eventually("the grant", () => grants[0]);
  expect(sub.channel).toBe(LOBBY);
  const isBack = async () => {
    await eventually("a new connection", () => proxy.connections === 1);
    await client.ready();
  };
  const random = createSeededRandom(7);
  for (const n of range(1, 60)) {
    await gateway.publish(LOBBY, n);
    if (!random.chance(0.1)) continue;
    await isBack();
    proxy.cut();
  }
  await isBack();
  await eventually("all of it", () => seen.offsets.at(-1) === 61);
  expect(seen.data).toEqual(range(1, 60));
  const [first, ...later] = seen.subscribed.map(({ recovered }) => recovered);
  expect(first).toBe(false);
  expect(later.length).toBeGreaterThan(2);
  expect(later).not.toContain(false);
  expect(client.state).toMatchObject({ name: "connected", resumed: true });

  await control(gateway, "unsubscribe");
  await eventually("its end", () => seen.ended.length === 1);
  expect(seen.ended).toEqual(["forbidden"]);
  await control(gateway, "subscribe");
  await eventually("another grant", () => grants.length === 2);
  expect(gateway.gateway.counters.commandsRefused).toEqual({});
});

test("[SE9] a grant that the client never heard of, as the network froze, is told after the break, with what was published since", async () => {
  await using gateway = await startTestGateway({ config: CONFIG });
  await using proxy = startTcpProxy(gateway.gateway.port);
  const token = await gateway.token({ capabilities: {} });
  using client = clientOf({ url: through(proxy, gateway), token });
  const grants = grantsOf(client);
  await client.ready();
  proxy.frozenToClient = true;
  await control(gateway, "subscribe");
  await gateway.publish(LOBBY, 1);
  proxy.cut();
  proxy.frozenToClient = false;
  const { seen } = await eventually("the grant", () => grants[0]);
  await eventually("the message", () => seen.data.length === 1);
  expect(seen.data).toEqual([1]);
});

test("[SE9] the application may subscribe as long as the grant holds, sharing it, and end it", async () => {
  await using gateway = await startTestGateway({ config: CONFIG });
  const token = await gateway.token({ capabilities: {} });
  using client = clientOf({ url: gateway.wsUrl, token });
  const grants = grantsOf(client);
  await client.ready();
  await expect(client.subscribe(LOBBY).ready).rejects.toMatchObject({ code: "forbidden" });
  await control(gateway, "subscribe");
  const { sub, seen } = await eventually("the grant", () => grants[0]);
  const own = client.subscribe(LOBBY);
  const ownSeen = watch(own);
  await own.ready;
  await gateway.publish(LOBBY, 1);
  await eventually("both", () => seen.data.length + ownSeen.data.length === 2);
  sub.unsubscribe();
  await gateway.publish(LOBBY, 2);
  await eventually("the next", () => ownSeen.data.length === 2);
  expect(seen.data).toEqual([1]);
  own.unsubscribe();
  await expect(client.subscribe(LOBBY).ready).rejects.toMatchObject({ code: "forbidden" });
});

test("[SE9] a gateway that starts anew has forgotten the grant: it goes on if the token allows it, else it ends", async () => {
  const first = await startTestGateway({ config: CONFIG });
  const port = first.gateway.port;
  using free = clientOf({ url: first.wsUrl, token: await first.token() });
  using bound = clientOf({ url: first.wsUrl, token: await first.token({ capabilities: {} }) });
  const grants = [grantsOf(free), grantsOf(bound)];
  await Promise.all([free.ready(), bound.ready()]);
  await control(first, "subscribe");
  const [freeGrant, boundGrant] = await Promise.all(
    grants.map((list) => eventually("the grant", () => list[0])),
  );
  await first[Symbol.asyncDispose]();
  await using second = await startTestGateway({ config: { ...CONFIG, listen: { port } } });
  await eventually("its end", () => boundGrant?.seen.ended.length === 1);
  await eventually("it is back", () => freeGrant?.seen.subscribed.length === 2);
  await second.publish(LOBBY, 1);
  await eventually("the message", () => freeGrant?.seen.data.length === 1);
  expect(boundGrant?.seen.ended).toEqual(["forbidden"]);
  expect(freeGrant?.seen.subscribed.map(({ recovered }) => recovered)).toEqual([false, false]);
});
