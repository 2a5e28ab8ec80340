/** A backend asks for new tokens. */
import { describe, expect, test } from "bun:test";
import { eventually, RawClient, startTestGateway } from "@aldis/testkit";

const OTHER = "a-key-of-the-other-tenant-0";
const SENDS_ONLY = "a-key-that-sends-and-no-more";
const start = () =>
  startTestGateway({
    config: {
      api: {
        keys: [
          { key: "test-api-key-0123456789abcdef" },
          { key: OTHER, tenant: "other" },
          { key: SENDS_ONLY, scopes: ["send"] },
        ],
      },
    },
  });

describe("[HT12] POST /api/refresh", () => {
  test("[AU9] a user's connections and one alone are asked; who brings no token is closed with 4002", async () => {
    await using gateway = await start();
    const [one, two] = [await gateway.connect(), await gateway.connect()];
    const bob = await gateway.connect({ sub: "bob" });
    const asked = await gateway.call("POST", "/api/refresh", { user: "ann", withinMs: 1_000 });
    expect(asked.body).toEqual({ connections: 2 });
    for (const client of [one, two]) {
      expect((await client.next("refresh")).data).toEqual({ expiresInMs: 1_000 });
    }
    await one.must("refresh", { token: await gateway.token() });
    expect(await two.closed).toMatchObject({ code: 4002 });
    await one.settle();
    const { connection } = one.welcome;
    const commands = [{ refresh: { connection } }, { refresh: { connection: "nowhere" } }];
    const batch = await gateway.call("POST", "/api/batch", { commands });
    expect(batch.body.results).toEqual([{ connections: 1 }, { connections: 0 }]);
    await one.next("refresh");
    await bob.settle();
    expect(bob.all.some(({ action }) => action === "refresh")).toBe(false);
  });

  test("P2: another tenant's user and connection are not there, parked sessions neither", async () => {
    await using gateway = await start();
    const ann = await gateway.connect();
    const gone = await gateway.connect();
    gone.cut();
    await eventually("the break", () => gateway.gateway.connections === 1);
    for (const body of [{ user: "ann" }, { connection: ann.welcome.connection }]) {
      const answer = await gateway.call("POST", "/api/refresh", body, OTHER);
      expect([answer.status, answer.body]).toEqual([200, { connections: 0 }]);
    }
    await ann.settle();
    expect(ann.all.some(({ action }) => action === "refresh")).toBe(false);
    const back = await RawClient.connect(`${gateway.wsUrl}?session=${gone.welcome.session}`);
    expect(back.welcome.resumed).toBe(true);
  });

  test("[AU9] a session without a connection is resumed with a token alone, which is to be replaced", async () => {
    await using gateway = await start();
    const ann = await gateway.connect();
    ann.cut();
    await eventually("the break", () => gateway.gateway.connections === 0);
    const asked = await gateway.call("POST", "/api/refresh", { user: "ann" });
    expect(asked.body).toEqual({ connections: 0 });
    const session = `session=${ann.welcome.session}`;
    const alone = await RawClient.open(`${gateway.wsUrl}?${session}`);
    expect(await alone.closed).toMatchObject({ code: 4002 });
    const token = await gateway.token();
    const back = await RawClient.connect(`${gateway.wsUrl}?token=${token}&${session}`);
    expect(back.welcome.resumed).toBe(true);
    expect((await back.next("refresh")).data).toEqual({ expiresInMs: 30_000 });
  });

  test("wants the scope `control`, one of the two, and a time within bounds", async () => {
    await using gateway = await start();
    const limited = await gateway.call("POST", "/api/refresh", { user: "ann" }, SENDS_ONLY);
    expect(limited.status).toBe(403);
    for (const bad of [
      {},
      { user: "ann", connection: "c" },
      { user: "ann", withinMs: 999 },
      { user: "ann", withinMs: 3_600_001 },
      { user: "ann", withinMs: 1_000.5 },
    ]) {
      expect((await gateway.call("POST", "/api/refresh", bad)).status).toBe(400);
    }
  });
});
