import { describe, expect, test } from "bun:test";
import { createFakeClock, openRawSocket, startTestGateway } from "@aldis/testkit";

const channel = "chat:lobby";

describe("[LI5] commands of a connection", () => {
  test("the burst, one more, and after the wait again; others notice nothing", async () => {
    const clock = createFakeClock();
    const config = { limits: { commandsPerSecond: 10, commandsBurst: 20 } };
    await using gateway = await startTestGateway({ clock, config });
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    await bob.must("subscribe", { channel });
    for (let n = 0; n < 20; n++) await ann.must("publish", { channel, data: n });
    expect(await ann.refused("publish", { channel, data: "over" })).toMatchObject({
      code: "rate_limited",
      temporary: true,
      retryAfterMs: 100,
    });
    await bob.must("publish", { channel, data: "of bob" });
    clock.advance(100);
    await ann.must("publish", { channel, data: "after the wait" });
    await bob.wait(({ data }) => data.data === "after the wait");
    expect(bob.all.map(({ data }) => data.data)).not.toContain("over");
  });

  test("a flood is refused, told why, and closed with 4010; nobody else waits", async () => {
    const config = { limits: { commandsPerSecond: 10, commandsBurst: 20, refusalsPerMinute: 30 } };
    await using gateway = await startTestGateway({ config });
    const bob = await gateway.connect({ sub: "bob" });
    await bob.must("subscribe", { channel });
    const logged = gateway.logged.length;
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    for (let n = 0; n < 5_000; n++) raw.send("publish", { channel, data: n });
    expect(await raw.closed()).toBe(4010);
    expect(raw.messages().at(-1)?.data).toMatchObject({
      code: "rate_limited",
      retryAfterMs: 10_000,
    });
    const { offset } = await bob.must("publish", { channel, data: "end" });
    await bob.wait(({ data }) => data.offset === offset);
    expect(offset).toBeLessThan(30);
    expect(gateway.logged.length).toBe(logged);
    expect(gateway.gateway.counters.connectionsClosedBy["too_many_refused"]).toBe(1);
  });

  test("bytes count in the line's own bytes", async () => {
    const config = { limits: { bytesPerSecond: 100, bytesBurst: 20_000 } };
    await using gateway = await startTestGateway({ config, clock: createFakeClock() });
    const ann = await gateway.connect();
    // Three bytes each, and one UTF-16 unit.
    for (let n = 0; n < 6; n++) await ann.must("publish", { channel, data: "€".repeat(1_000) });
    const refused = await ann.refused("publish", { channel, data: "€".repeat(1_000) });
    expect(refused.code).toBe("rate_limited");
    expect(gateway.gateway.counters.rateLimited).toEqual({ bytes: 1 });
  });
});

describe("[LI5] P3: what a command brings", () => {
  test.each([
    ["history", { channel }],
    ["subscribe", { channel, last: 100 }],
    ["subscribe without an id", { channel, last: 100 }],
  ])("of `%s` counts as bytes of who asked for it", async (how, data) => {
    const clock = createFakeClock();
    const config = { limits: { bytesPerSecond: 1_000, bytesBurst: 20_000 } };
    await using gateway = await startTestGateway({ config, clock });
    const ann = await gateway.connect();
    await gateway.publish(channel, "x".repeat(30_000));
    if (how.endsWith("id")) ann.send("subscribe", data);
    else await ann.must(how, data);
    const refused = await ann.refused("history", { channel });
    expect(refused).toMatchObject({ code: "rate_limited" });
    expect(refused.retryAfterMs).toBeGreaterThan(10_000);
    clock.advance(refused.retryAfterMs);
    await ann.must("history", { channel });
    // Who has nothing to be told owes nothing.
    const bob = await gateway.connect({ sub: "bob" });
    for (let n = 0; n < 50; n++) await bob.must("subscribe", { channel: "chat:empty", last: 100 });
  });
});

test("[LI5] P3: a list of who is present counts as bytes of who asked for it", async () => {
  const config = { limits: { bytesPerSecond: 1, bytesBurst: 10_000 } };
  await using gateway = await startTestGateway({ config, clock: createFakeClock() });
  const ann = await gateway.connect({ name: "A".repeat(100) });
  await ann.must("subscribe", { channel });
  await ann.must("presence", { channel, data: "x".repeat(900) });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ann.ask("presence", { channel })),
  );
  const refused = answers.filter(({ action }) => action === "error");
  expect(refused.length).toBeGreaterThan(5);
  expect(refused[0]?.data.code).toBe("rate_limited");
});

describe("[LI6] messages of a user", () => {
  test("over two connections together; the told wait is enough; the defaults are 120 a minute", async () => {
    const clock = createFakeClock();
    const config = { limits: { messagesPerUserPerMinute: 120 } };
    await using gateway = await startTestGateway({ clock, config });
    const [ann, tab] = [await gateway.connect(), await gateway.connect()];
    for (let n = 0; n < 60; n++) {
      await ann.must("publish", { channel, data: n });
      await tab.must("publish", { channel, data: n });
    }
    for (const each of [ann, tab]) {
      expect(await each.refused("publish", { channel, data: 1 })).toMatchObject({
        code: "rate_limited",
        retryAfterMs: 500,
      });
    }
    clock.advance(500);
    expect((await tab.must("publish", { channel, data: 1 })).offset).toBe(121);
    await ann.refused("publish", { channel, data: 1 });
  });
});

describe("[LI7] publishes of a channel", () => {
  const config = {
    namespaces: { slow: { rate: { publishesPerSecond: 1, burst: 2 } } },
    limits: { keyGuessesPerMinute: 0 },
  };

  test("clients and backends together, with Retry-After over HTTP", async () => {
    const clock = createFakeClock();
    await using gateway = await startTestGateway({ clock, config });
    const ann = await gateway.connect();
    await ann.must("publish", { channel: "slow:a", data: 1 });
    await gateway.publish("slow:a", 2);
    const body = { channel: "slow:a", data: 3 };
    const response = await fetch(`${gateway.url}/api/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({
      error: { code: "rate_limited", temporary: true, retryAfterMs: 1_000 },
    });
    expect((await ann.refused("publish", body)).retryAfterMs).toBe(1_000);
    await gateway.publish("slow:b", 1);
    clock.advance(1_000);
    expect((await gateway.publish("slow:a", 3)).offset).toBe(3);
  });

  test("a change of the namespace holds at once", async () => {
    await using gateway = await startTestGateway({ config, clock: createFakeClock() });
    for (let n = 0; n < 2; n++) await gateway.publish("slow:a", n);
    const ann = await gateway.connect();
    await ann.refused("publish", { channel: "slow:a", data: 1 });
    const faster = await gateway.call("PUT", "/api/namespaces/slow", {});
    expect(faster.status).toBe(200);
    await ann.must("publish", { channel: "slow:a", data: 1 });
    const wrong = { rate: { publishesPerSecond: 1, burst: 61 } };
    expect((await gateway.call("PUT", "/api/namespaces/slow", wrong)).body.error.message).toContain(
      "rate.burst",
    );
  });
});
