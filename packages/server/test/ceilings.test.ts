import { describe, expect, test } from "bun:test";
import { eventually, RawClient, startTestGateway, type TestGateway } from "@aldis/testkit";

/** A newcomer that is expected to be turned back: what it is told, and the code. */
async function turnedBack(gateway: TestGateway, claims: Record<string, unknown> = {}, query = "") {
  const url = `${gateway.wsUrl}?token=${await gateway.token(claims)}${query}`;
  const newcomer = await RawClient.open(url);
  await newcomer.wait(({ action }) => action === "error", "what turns it back");
  const { code } = await newcomer.closed;
  return {
    code,
    told: newcomer.all.map(({ action, data }) => [action, data.code, data.retryAfterMs]),
  };
}

const REFUSED = { code: 4009, told: [["error", "limit_reached", 30_000]] };

describe("[LI4] connections of a user", () => {
  const config = { limits: { connectionsPerUser: 2 } };

  test("the last place is given, the newcomer is told and closed with 4009, those who are there stay", async () => {
    await using gateway = await startTestGateway({ config });
    const [first, second] = [await gateway.connect(), await gateway.connect()];
    expect(await turnedBack(gateway)).toEqual(REFUSED);
    await gateway.connect({ sub: "bob" });
    await gateway.connect({ tenant: "acme" });
    for (const each of [first, second]) await each.settle();
    expect(gateway.gateway.counters.sessionsRefused).toEqual({ user: 1 });
  });

  test.each(["close", "cut"] as const)(
    "a place is free at once after a %s; a parked session has none",
    async (how) => {
      await using gateway = await startTestGateway({ config });
      const [first] = [await gateway.connect(), await gateway.connect()];
      await first[how]();
      await eventually("it is gone", () => gateway.gateway.connections === 1);
      await gateway.connect();
      expect(await turnedBack(gateway)).toEqual(REFUSED);
    },
  );

  test("[SE7] who takes over its own session counts once", async () => {
    await using gateway = await startTestGateway({ config });
    const [first] = [await gateway.connect(), await gateway.connect()];
    const { session } = first.welcome;
    const taken = await RawClient.connect(`${gateway.wsUrl}?session=${session}`);
    expect(taken.welcome.resumed).toBe(true);
    expect((await first.closed).code).toBe(4501);
    expect(await turnedBack(gateway)).toEqual(REFUSED);
  });

  test("[SE2] a session that finds no room to be resumed is kept, and resumes when there is some", async () => {
    await using gateway = await startTestGateway({ config });
    const parked = await gateway.connect();
    await parked.must("subscribe", { channel: "chat:lobby" });
    const { session } = parked.welcome;
    parked.cut();
    await eventually("it is gone", () => gateway.gateway.connections === 0);
    const others = [await gateway.connect(), await gateway.connect()];
    expect(await turnedBack(gateway, {}, `&session=${session}`)).toEqual(REFUSED);
    await gateway.publish("chat:lobby", "meanwhile");
    await others[0]?.close();
    await eventually("there is room", () => gateway.gateway.connections === 1);
    const back = await RawClient.connect(`${gateway.wsUrl}?session=${session}`);
    expect(back.welcome.resumed).toBe(true);
    expect((await back.next("message")).data.data).toBe("meanwhile");
  });

  test("newcomers in one moment get no more places than there are", async () => {
    await using gateway = await startTestGateway({ config });
    const url = `${gateway.wsUrl}?token=${await gateway.token()}`;
    const all = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(url)));
    await eventually("all are told", () => all.every((client) => client.all.length > 0));
    expect(all.filter((client) => client.all[0]?.action === "welcome").length).toBe(2);
    expect(gateway.gateway.connections).toBe(2);
  });

  test("anonymous users are each their own", async () => {
    const open = { namespaces: { chat: { allow: { subscribe: ["anonymous"] } } } };
    await using gateway = await startTestGateway({ config: { ...config, ...open } });
    for (let n = 0; n < 5; n++) {
      const client = await RawClient.open(gateway.wsUrl);
      client.send("connect", {});
      await client.next("welcome");
    }
  });
});

describe("[LI4] connections of a tenant", () => {
  test("another tenant's connections take no room of it (P2), anonymous users do", async () => {
    const config = {
      limits: { connectionsPerTenant: 2 },
      namespaces: { chat: { allow: { subscribe: ["anonymous"] } } },
    };
    await using gateway = await startTestGateway({ config });
    await gateway.connect({ sub: "ann" });
    for (const sub of ["a", "b"]) await gateway.connect({ sub, tenant: "acme" });
    const anonymous = await RawClient.open(gateway.wsUrl);
    anonymous.send("connect", {});
    await anonymous.next("welcome");
    expect(await turnedBack(gateway, { sub: "carl" })).toEqual(REFUSED);
    expect(await turnedBack(gateway, { sub: "c", tenant: "acme" })).toEqual(REFUSED);
    expect(gateway.gateway.counters.sessionsRefused).toEqual({ tenant: 2 });
    await anonymous.close();
    await eventually("there is room", () => gateway.gateway.connections === 3);
    await gateway.connect({ sub: "carl" });
  });

  test("a log line for the first, not for each", async () => {
    await using gateway = await startTestGateway({ config: { limits: { connectionsPerUser: 1 } } });
    await gateway.connect();
    for (let n = 0; n < 10; n++) await turnedBack(gateway);
    const lines = gateway.logged.filter((line) => line.includes("user_full"));
    expect(lines.length).toBe(1);
  });
});
