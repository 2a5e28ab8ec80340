import { describe, expect, test } from "bun:test";
import { API_KEY, createFakeClock, RawClient, startTestGateway } from "@aldis/testkit";

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
