import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { API_KEY, createFakeClock, eventually, RawClient, startTestGateway } from "@aldis/testkit";

const channel = "chat:lobby";
const GLOBEX_KEY = "globex-api-key-0123456789abcdef";

const keys = [
  { key: API_KEY, tenant: "default", scopes: ["*" as const] },
  { key: GLOBEX_KEY, tenant: "globex", scopes: ["*" as const] },
];

function open(quotas: Record<string, number>) {
  const clock = createFakeClock();
  const config = { tenants: { quotas }, api: { keys } };
  return startTestGateway({ clock, config }).then((gateway) => ({ gateway, clock }));
}

describe("[QU3] what clients and backends of a tenant send", () => {
  test("clients and backends take from one bucket; other tenants have their own", async () => {
    const { gateway, clock } = await open({ messagesPerSecond: 4 });
    await using _ = gateway;
    const ann = await gateway.connect();
    const other = await gateway.connect({ sub: "zoe", tenant: "globex" });
    for (let n = 0; n < 2; n++) await ann.must("publish", { channel, data: n });
    for (let n = 0; n < 2; n++) await gateway.publish(channel, n);
    const message = "tenant default is at its quota: messagesPerSecond 4";
    expect(await ann.refused("publish", { channel, data: "over" })).toMatchObject({
      ...{ code: "rate_limited", temporary: true, retryAfterMs: 250, message },
    });
    const answer = await gateway.call("POST", "/api/publish", { channel, data: "over" });
    expect(answer.status).toBe(429);
    expect(answer.body).toMatchObject({ error: { code: "rate_limited", message } });
    await other.must("publish", { channel, data: "of another" });
    expect(
      (await gateway.call("POST", "/api/publish", { channel, data: 1 }, GLOBEX_KEY)).status,
    ).toBe(200);
    clock.advance(250);
    expect((await gateway.publish(channel, "after the wait")).offset).toBe(5);
    expect(gateway.gateway.counters.quotaRefusals).toMatchObject({ messagesPerSecond: 2 });
    expect(gateway.logged.filter((line) => line.includes("at a quota")).length).toBe(1);
  });

  test("each message of a batch, each channel of a broadcast, each send counts", async () => {
    const { gateway } = await open({ messagesPerSecond: 5 });
    await using _ = gateway;
    const commands = [
      { broadcast: { channels: ["a:1", "a:2", "a:3"], data: 1 } },
      { send: { user: "ann", data: 1 } },
      { publish: { channel, data: 1 } },
      { publish: { channel, data: 2 } },
      { disconnect: { user: "nobody" } },
    ];
    const { body } = await gateway.call("POST", "/api/batch", { commands });
    const codes = (body as { results: { error?: { code: string } }[] }).results.map(
      ({ error }) => error?.code,
    );
    expect(codes).toEqual([undefined, undefined, undefined, "rate_limited", undefined]);
    expect((await gateway.call("POST", "/api/users/ann/send", { data: 1 })).status).toBe(429);
    expect((await gateway.call("GET", "/api/channels")).status).toBe(200);
  });

  test("bytes of frames and bodies count, and a refused body is not looked at", async () => {
    const { gateway, clock } = await open({ bytesPerSecond: 2_000 });
    await using _ = gateway;
    await gateway.publish(channel, "x".repeat(1_500));
    const over = await gateway.call("POST", "/api/publish", { channel, data: "x".repeat(1_500) });
    expect(over.body).toMatchObject({
      error: { message: "tenant default is at its quota: bytesPerSecond 2000" },
    });
    const batch = { commands: [{ publish: { channel, data: "x".repeat(1_500) } }] };
    expect((await gateway.call("POST", "/api/batch", batch)).status).toBe(429);
    clock.advance(2_000);
    expect((await gateway.call("POST", "/api/batch", batch)).status).toBe(200);
    const ann = await gateway.connect();
    expect((await ann.refused("publish", { channel, data: "x".repeat(1_500) })).code).toBe(
      "rate_limited",
    );
  });
});

test("[QU2] connections of a tenant: the newcomer is told the quota and closed with 4009", async () => {
  const { gateway } = await open({ connections: 1 });
  await using _ = gateway;
  await gateway.connect();
  const late = await RawClient.open(
    `${gateway.wsUrl}?token=${await gateway.token({ sub: "bob" })}`,
  );
  const { data } = await late.wait(({ action }) => action === "error", "what turns it back");
  expect(data).toMatchObject({
    code: "quota_exceeded",
    temporary: false,
    retryAfterMs: 30_000,
    message: "tenant default is at its quota: connections 1",
  });
  expect((await late.closed).code).toBe(4009);
  await gateway.connect({ tenant: "globex" });
});

describe("[QU4] channels that a backend puts users into", () => {
  const message = "tenant default is at its quota: channels 2";
  const refused = { code: "quota_exceeded", temporary: false, message };

  test("are new ones as those that clients subscribe to, by each way there is; those that are there go on", async () => {
    const { gateway } = await open({ channels: 2 });
    await using _ = gateway;
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    const put = (path: string, name: string) =>
      gateway.call("POST", `/api/${path}/subscribe`, { channel: name });
    expect(await put("users/ann", "chat:a")).toMatchObject({ body: { connections: 1 } });
    await bob.must("subscribe", { channel: "chat:b" });
    for (const path of ["users/ann", `connections/${ann.welcome.connection}`]) {
      expect(await put(path, "chat:c")).toMatchObject({ status: 429, body: { error: refused } });
    }
    const commands = ["chat:c", "chat:b"].map((name) => ({
      subscribe: { user: "ann", channel: name },
    }));
    const { body } = await gateway.call("POST", "/api/batch", { commands });
    expect(body).toMatchObject({ results: [{ error: refused }, { connections: 1 }] });
    expect(await put("users/bob", "chat:a")).toMatchObject({ body: { connections: 1 } });
    expect((await bob.refused("subscribe", { channel: "chat:c" })).code).toBe("quota_exceeded");
    expect(gateway.gateway.counters.quotaRefusals).toMatchObject({ channels: 4 });
  });

  test("that one quota is reached is told whatever others were told of", async () => {
    const { gateway } = await open({ channels: 1, messagesPerSecond: 1 });
    await using _ = gateway;
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    await ann.refused("subscribe", { channel: "chat:b" });
    for (let n = 0; n < 3; n++) await gateway.call("POST", "/api/publish", { channel, data: n });
    const told = gateway.logged.filter((line) => line.includes("at a quota"));
    expect(told.map((line) => JSON.parse(line).quota)).toEqual(["channels", "messagesPerSecond"]);
  });
});

describe("[QU7] usage", () => {
  test("what clients and backends do is counted for their own tenant, and read with its own key", async () => {
    const folder = mkdtempSync(join(tmpdir(), "aldis-usage-"));
    const store = { url: `sqlite:${join(folder, "a.db")}` };
    await using gateway = await startTestGateway({
      config: { api: { keys }, store, tenants: { quotas: { channels: 10 } } },
    });
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    for (const client of [ann, bob]) await client.must("subscribe", { channel });
    for (let n = 0; n < 3; n++) await ann.must("publish", { channel, data: n });
    await gateway.publish(channel, "of a backend");
    await bob.wait(({ data }) => data.data === "of a backend");
    await gateway.connect({ sub: "zoe", tenant: "globex" });
    const { body } = await gateway.call("GET", "/api/usage");
    const { days } = body as { days: Record<string, number>[] };
    expect(days.length).toBe(1);
    expect(days[0]).toMatchObject({
      ...{ messagesIn: 4, messagesDelivered: 8, refused: 0, connectionsPeak: 2 },
      apiRequests: 2,
    });
    expect(days[0]?.["bytesIn"]).toBeGreaterThan(300);
    expect(days[0]?.["bytesOut"]).toBeGreaterThan(1_000);
    expect((body as { quotas: object }).quotas).toEqual({ channels: 10 });
    const other = await gateway.call("GET", "/api/usage", undefined, GLOBEX_KEY);
    expect((other.body as { days: object[] }).days).toMatchObject([
      { messagesIn: 0, connectionsPeak: 1 },
    ]);
    const wrong = ["from=2026-02-30", "from=2026-11-02&to=2026-11-01", "from=2020-01-01", "x=1"];
    for (const query of wrong) {
      expect((await gateway.call("GET", `/api/usage?${query}`)).status).toBe(400);
    }
    await gateway.gateway.close();
    // What was counted is written when a gateway stops.
    await using next = await startTestGateway({ config: { api: { keys }, store } });
    const after = await next.call("GET", "/api/usage");
    expect((after.body as { days: object[] }).days).toMatchObject([{ messagesIn: 4 }]);
    rmSync(folder, { recursive: true, force: true });
  });

  test("without a store there is none", async () => {
    await using gateway = await startTestGateway();
    expect((await gateway.call("GET", "/api/usage")).status).toBe(404);
  });
});

describe("[QU8] a tenant that is refused too much", () => {
  const refusals = { atOncePerSecond: 1, delayMs: 2_000 };
  const publication = { channel, data: 1 };

  async function openLate() {
    const clock = createFakeClock();
    const config = { tenants: { quotas: { messagesPerSecond: 1 }, refusals }, api: { keys } };
    return { clock, gateway: await startTestGateway({ clock, config }) };
  }

  /** The quota is used up, and so are the refusals that are told at once. */
  async function exhaust(gateway: Awaited<ReturnType<typeof startTestGateway>>) {
    await gateway.publish(channel, 1);
    expect((await gateway.call("POST", "/api/publish", publication)).status).toBe(429);
  }

  const requests = [
    ["/api/publish", publication, 429],
    ["/api/users/ann/send", { data: 1 }, 429],
    ["/api/broadcast", { channels: ["a:1", "a:2"], data: 1 }, 200],
    ["/api/batch", { commands: [{ publish: publication }] }, 200],
    ["/api/batch", { commands: [{ broadcast: { channels: ["a:1"], data: 1 } }] }, 200],
  ] as const;
  test.each(requests)("waits for the answer of %s %o", async (path, body, status) => {
    const { clock, gateway } = await openLate();
    await using _ = gateway;
    await exhaust(gateway);
    let isTold = false;
    const late = gateway.call("POST", path, body).then((answer) => {
      isTold = true;
      return answer;
    });
    const { counters } = gateway.gateway;
    await eventually("it to wait", () => counters.refusalsDelayed === 1);
    expect((await gateway.call("POST", path, body, GLOBEX_KEY)).status).toBe(200);
    expect((await gateway.call("GET", "/api/channels")).status).toBe(200);
    expect(isTold).toBe(false);
    clock.advance(2_000);
    const answer = await late;
    expect([answer.status, JSON.stringify(answer.body).includes("rate_limited")]).toEqual([
      ...[status, true],
    ]);
  });

  test("what the tenant may send is answered at once, however many refusals wait", async () => {
    const { clock, gateway } = await openLate();
    await using _ = gateway;
    await exhaust(gateway);
    const late = [1, 2, 3].map(() => gateway.call("POST", "/api/publish", publication));
    const { counters } = gateway.gateway;
    await eventually("them to wait", () => counters.refusalsDelayed === 3);
    clock.advance(1_000);
    await gateway.publish(channel, "within the quota");
    clock.advance(1_000);
    for (const answer of await Promise.all(late)) expect(answer.status).toBe(429);
  });

  test("on a WebSocket they leave together, or before what is answered next", async () => {
    const { clock, gateway } = await openLate();
    await using _ = gateway;
    await exhaust(gateway);
    const ann = await gateway.connect();
    const { counters } = gateway.gateway;
    ann.send("publish", publication, 1);
    ann.send("publish", publication, 2);
    await eventually("both to wait", () => counters.refusalsDelayed === 2);
    expect(await ann.must("ping")).toBeDefined();
    expect((await ann.wait(({ id }) => id === 2)).data.code).toBe("rate_limited");
    ann.send("publish", publication, 3);
    await eventually("it to wait", () => counters.refusalsDelayed === 3);
    clock.advance(2_000);
    expect((await ann.wait(({ id }) => id === 3)).data.code).toBe("rate_limited");
  });

  test("a gateway that drains tells all that wait", async () => {
    const { gateway } = await openLate();
    await exhaust(gateway);
    const late = gateway.call("POST", "/api/publish", publication);
    const { counters } = gateway.gateway;
    await eventually("it to wait", () => counters.refusalsDelayed === 1);
    void gateway.gateway.drain();
    expect((await late).status).toBe(429);
    await gateway.gateway.close();
  });
});

test("[QU6] records: what is new is refused at the quota, and what is there can be read, acknowledged and removed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "aldis-records-"));
  const tenants = { quotas: { storeBytes: 20_000 }, usage: { writeMs: 100 } };
  const store = { url: `sqlite:${join(folder, "a.db")}` };
  await using gateway = await startTestGateway({ config: { tenants, store } });
  const ann = await gateway.connect();
  const notice = { user: "ann", title: "x".repeat(200) };
  let last: string | undefined;
  await eventually("the quota to be reached", async () => {
    const { status, body } = await gateway.call("POST", "/api/notifications", notice);
    if (status === 200) last = (body as { id: string }).id;
    else expect(body).toMatchObject({ error: { code: "quota_exceeded", temporary: false } });
    return status === 429;
  });
  await ann.must("acknowledge_notification", { id: last });
  expect((await gateway.call("DELETE", `/api/notifications/${last}`)).status).toBeLessThan(500);
  await gateway.publish(channel, "publishing goes on");
  await eventually("it to be told", async () => {
    const { body } = await gateway.call("GET", "/api/usage");
    return ((body as { days: { storeBytes?: number }[] }).days[0]?.storeBytes ?? 0) >= 20_000;
  });
  rmSync(folder, { recursive: true, force: true });
});
