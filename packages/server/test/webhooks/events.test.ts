/** What events there are, and when they come: over real sockets, as they stand in the log of an endpoint. */
import { describe, expect, test } from "bun:test";
import { eventually, RawClient } from "@aldis/testkit";
import { openWebhooks, type Webhooks } from "./open-webhooks.ts";

const SESSION_GRACE_MS = 125_000;
const GRACE_MS = 5_000;

/** Lets time go by as it does: in small steps, with what has come due done in between. */
async function pass({ clock, gateway }: Webhooks, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    clock.advance(Math.min(left, 1_000));
    await gateway.http("/health", {});
  }
}

async function resume({ gateway }: Webhooks, session: unknown) {
  const token = await gateway.token();
  return await RawClient.connect(`${gateway.wsUrl}?token=${token}&session=${session}`);
}

describe("message.published", () => {
  test("[WH21] each publication once, whoever publishes it and however often; with its place and what it is", async () => {
    await using webhooks = await openWebhooks();
    const { gateway } = webhooks;
    const endpoint = await webhooks.want(["message.published"], ["chat"]);
    const ann = await gateway.connect();
    const message = { channel: "chat:a", event: "say", data: { text: "hi" }, idempotencyKey: "k" };
    const { epoch } = await ann.must("publish", message);
    expect(webhooks.events(endpoint)).toHaveLength(1);
    await ann.must("publish", message);
    await ann.must("publish", { channel: "news:a", data: 1 });
    await gateway.publish("chat:b", 7);
    await gateway.call("POST", "/api/publish", { channel: "chat:b", base64: "AAEC" });
    const events = webhooks.events(endpoint);
    expect(events.map(({ data }) => data)).toEqual([
      { channel: "chat:a", offset: 1, epoch, event: "say", user: "ann", data: { text: "hi" } },
      { channel: "chat:b", offset: 1, epoch: events[1]?.data["epoch"], data: 7 },
      { channel: "chat:b", offset: 2, epoch: events[1]?.data["epoch"], base64: "AAEC" },
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    expect(events.map(({ type }) => type)).toEqual(events.map(() => "message.published"));
  });

  test("P2: [WH21] another tenant's publications are not told, and cost them nothing", async () => {
    await using webhooks = await openWebhooks();
    const endpoint = await webhooks.want(["*"]);
    const eve = await webhooks.gateway.connect({ tenant: "acme" });
    await eve.must("subscribe", { channel: "chat:a" });
    await eve.must("publish", { channel: "chat:a", data: 1 });
    await eve.settle();
    expect([webhooks.events(endpoint), webhooks.followed()]).toEqual([[], 0]);
  });
});

describe("sessions", () => {
  const TYPES = ["session.connected", "session.disconnected"];

  test("[WH22] connected; a goodbye is told at once", async () => {
    await using webhooks = await openWebhooks();
    const endpoint = await webhooks.want(TYPES);
    const ann = await webhooks.gateway.connect();
    // It was written before the `welcome` came.
    expect(webhooks.events(endpoint)).toHaveLength(1);
    await ann.close(1000);
    await webhooks.told(endpoint, 2);
    const [connected, disconnected] = webhooks.events(endpoint);
    expect(connected).toMatchObject({ type: "session.connected", data: { user: "ann" } });
    expect(disconnected).toMatchObject({
      type: "session.disconnected",
      data: { ...connected?.data, since: connected?.at },
    });
    await eventually("nothing to be followed", () => webhooks.followed() === 0);
  });

  test("[WH22] who is back within the grace time has not been away; who is not, is told of once", async () => {
    await using webhooks = await openWebhooks();
    const endpoint = await webhooks.want(TYPES);
    let client = await webhooks.gateway.connect();
    await webhooks.told(endpoint, 1);
    for (let n = 0; n < 3; n++) {
      const { session } = client.welcome;
      client.cut();
      await eventually("it to be gone", () => webhooks.gateway.gateway.connections === 0);
      await pass(webhooks, SESSION_GRACE_MS - 10_000);
      client = await resume(webhooks, session);
      expect(client.welcome.resumed).toBe(true);
    }
    await pass(webhooks, 2 * SESSION_GRACE_MS);
    expect(webhooks.events(endpoint)).toHaveLength(1);
    client.cut();
    await eventually("it to be gone", () => webhooks.gateway.gateway.connections === 0);
    await pass(webhooks, SESSION_GRACE_MS + 1_000);
    await webhooks.told(endpoint, 2);
    await pass(webhooks, SESSION_GRACE_MS);
    expect(webhooks.events(endpoint).map(({ type }) => type)).toEqual(TYPES);
  });

  test("[WH22] faults 12: the sessions of a process that has ended are told by its next one", async () => {
    await using webhooks = await openWebhooks();
    const endpoint = await webhooks.want(TYPES);
    const ann = await webhooks.gateway.connect();
    await webhooks.told(endpoint, 1);
    ann.cut();
    await webhooks.restart();
    await pass(webhooks, SESSION_GRACE_MS - 10_000);
    expect(webhooks.events(endpoint)).toHaveLength(1);
    await eventually("it to be told", () => {
      webhooks.clock.advance(1_000);
      return webhooks.events(endpoint).length === 2;
    });
    expect(webhooks.events(endpoint).map(({ type }) => type)).toEqual(TYPES);
    await eventually("nothing to be followed", () => webhooks.followed() === 0);
  });
});

describe("channels and members", () => {
  test("[WH23] the first who comes and the last who goes, of channels that are wanted", async () => {
    await using webhooks = await openWebhooks();
    const { gateway } = webhooks;
    const endpoint = await webhooks.want(["channel.occupied", "channel.vacated"], ["chat"]);
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    for (const client of [ann, bob]) {
      await client.must("subscribe", { channel: "chat:a" });
      await client.must("subscribe", { channel: "news:a" });
    }
    expect(await webhooks.told(endpoint, 1)).toEqual(["channel.occupied chat:a"]);
    await ann.must("unsubscribe", { channel: "chat:a" });
    await pass(webhooks, GRACE_MS + 1_000);
    await bob.must("unsubscribe", { channel: "chat:a" });
    await pass(webhooks, GRACE_MS - 1_000);
    await ann.must("subscribe", { channel: "chat:a" });
    await pass(webhooks, 2 * GRACE_MS);
    expect(webhooks.events(endpoint)).toHaveLength(1);
    await ann.must("unsubscribe", { channel: "chat:a" });
    await pass(webhooks, GRACE_MS + 1_000);
    expect(await webhooks.told(endpoint, 2)).toEqual([
      "channel.occupied chat:a",
      "channel.vacated chat:a",
    ]);
    await ann.must("subscribe", { channel: "chat:a" });
    await webhooks.told(endpoint, 3);
    const lives = webhooks.events(endpoint).map(({ data }) => data["life"]);
    expect([lives[0] === lives[1], lives[1] === lives[2]]).toEqual([true, false]);
  });

  test("[WH23] a user is one member, by however many connections; a pattern makes nobody one", async () => {
    await using webhooks = await openWebhooks();
    const { gateway } = webhooks;
    const endpoint = await webhooks.want(["member.joined", "member.left"]);
    const all = [
      await gateway.connect(),
      await gateway.connect(),
      await gateway.connect({ sub: "bob" }),
    ];
    const [one, two, bob] = all;
    for (const client of all) await client.must("subscribe", { channel: "plain" });
    await bob?.must("subscribe", { channel: "plain" });
    expect((await webhooks.told(endpoint, 2)).toSorted()).toEqual([
      "member.joined plain ann",
      "member.joined plain bob",
    ]);
    await one?.close(1000);
    await bob?.must("unsubscribe", { channel: "plain" });
    await pass(webhooks, GRACE_MS + 1_000);
    expect((await webhooks.told(endpoint, 3)).at(2)).toBe("member.left plain bob");
    two?.cut();
    await eventually("both to be gone", () => gateway.gateway.connections === 1);
    await pass(webhooks, GRACE_MS + 1_000);
    expect((await webhooks.told(endpoint, 4)).at(3)).toBe("member.left plain ann");
    await eventually("nothing to be followed", () => webhooks.followed() === 0);
  });
});

describe("[WH25] what was there before the endpoint", () => {
  const CHANNEL_TYPES = ["channel.occupied", "channel.vacated"];

  test("where nobody wants them nothing is followed; an endpoint hears of what begins then, and of all ends", async () => {
    await using webhooks = await openWebhooks();
    const { gateway } = webhooks;
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    await ann.must("publish", { channel: "chat:a", data: 1 });
    await pass(webhooks, 6_000);
    expect(webhooks.followed()).toBe(0);
    const endpoint = await webhooks.want(["*"]);
    await eventually("what is there to be followed", () => webhooks.followed() === 3);
    const bob = await gateway.connect({ sub: "bob" });
    await bob.must("subscribe", { channel: "chat:a" });
    await webhooks.told(endpoint, 2);
    await ann.close(1000);
    await eventually("it to be gone", () => gateway.gateway.connections === 1);
    await pass(webhooks, GRACE_MS + 1_000);
    await webhooks.told(endpoint, 4);
    await bob.must("unsubscribe", { channel: "chat:a" });
    await pass(webhooks, GRACE_MS + 1_000);
    await webhooks.told(endpoint, 6);
    const told = webhooks.events(endpoint).map(({ type, data }) => [type, data["user"]].join(" "));
    expect(told.slice(0, 4)).toEqual([
      "session.connected bob",
      "member.joined bob",
      "session.disconnected ann",
      "member.left ann",
    ]);
    expect(told.slice(4).toSorted()).toEqual(["channel.vacated ", "member.left bob"]);
  });

  test("one of two leaves: nothing is told; the last one leaves: vacated, once", async () => {
    await using webhooks = await openWebhooks();
    const { gateway } = webhooks;
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    for (const client of [ann, bob]) await client.must("subscribe", { channel: "chat:a" });
    await pass(webhooks, 6_000);
    const endpoint = await webhooks.want(CHANNEL_TYPES);
    await eventually("the channel to be followed", () => webhooks.followed() === 1);
    await ann.close(1000);
    await eventually("it to be gone", () => gateway.gateway.connections === 1);
    await pass(webhooks, 2 * GRACE_MS);
    expect(webhooks.events(endpoint)).toEqual([]);
    await bob.must("unsubscribe", { channel: "chat:a" });
    await pass(webhooks, GRACE_MS + 1_000);
    expect(await webhooks.told(endpoint, 1)).toEqual(["channel.vacated chat:a"]);
    await bob.must("subscribe", { channel: "chat:a" });
    expect((await webhooks.told(endpoint, 2)).at(1)).toBe("channel.occupied chat:a");
  });

  test("P3: when the last endpoint goes nothing is followed any more; another one hears of what is so by then, and of no end before", async () => {
    await using webhooks = await openWebhooks();
    const { gateway } = webhooks;
    const first = await webhooks.want(["*"]);
    const [tab, bob] = [
      await gateway.connect({ sub: "bob" }),
      await gateway.connect({ sub: "bob" }),
    ];
    for (const client of [tab, bob]) await client.must("subscribe", { channel: "chat:a" });
    await webhooks.told(first, 4);
    await gateway.call("DELETE", `/api/webhooks/${first}`);
    await eventually("nothing to be followed", () => webhooks.followed() === 0);
    await pass(webhooks, 1_000);
    await tab.close(1000);
    await eventually("it to be gone", () => gateway.gateway.connections === 1);
    const second = await webhooks.want(["*"]);
    await eventually("what is there to be followed", () => webhooks.followed() === 3);
    await pass(webhooks, 2 * GRACE_MS);
    expect(webhooks.events(second)).toEqual([]);
    await bob.close(1000);
    await eventually("it to be gone", () => gateway.gateway.connections === 0);
    await pass(webhooks, GRACE_MS + 1_000);
    expect((await webhooks.told(second, 3)).toSorted()).toEqual([
      "channel.vacated chat:a",
      "member.left chat:a bob",
      expect.stringMatching(/^session\.disconnected .* bob$/),
    ]);
  });

  test("an endpoint that wants more than before", async () => {
    await using webhooks = await openWebhooks();
    const { gateway } = webhooks;
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "news:a" });
    await pass(webhooks, 6_000);
    const endpoint = await webhooks.want(CHANNEL_TYPES, ["chat"]);
    await pass(webhooks, 6_000);
    expect(webhooks.followed()).toBe(0);
    const at = `/api/webhooks/${endpoint}`;
    await gateway.call("PUT", at, { namespaces: ["news"] });
    await eventually("the channel to be followed", () => webhooks.followed() === 1);
    await ann.must("unsubscribe", { channel: "news:a" });
    await pass(webhooks, GRACE_MS + 1_000);
    expect(await webhooks.told(endpoint, 1)).toEqual(["channel.vacated news:a"]);
  });
});
