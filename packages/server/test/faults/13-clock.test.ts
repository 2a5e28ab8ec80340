import { describe, expect, test } from "bun:test";
import { eventually, RawClient, runFault, startGatewayProcess } from "@aldis/testkit";

const HOUR_MS = 3_600_000;
const channel = "chat:lobby";

describe("faults 13: the host's clock is set back and forward by an hour", () => {
  test("[P1] under load nobody is cut, nothing expires, nothing is lost", async () => {
    const report = await runFault({}, async ({ gateway, published }) => {
      for (const byMs of [HOUR_MS, -2 * HOUR_MS, HOUR_MS]) {
        await gateway.shiftClock(byMs);
        await published(40);
      }
    });
    expect(report.resumes.possible).toBe(0);
    expect(report.after.counters.connectionsClosed).toBe(report.before.counters.connectionsClosed);
  });

  test("what has a lifetime keeps it: sessions, keys, history, presence", async () => {
    await using gateway = await startGatewayProcess();
    const far = Math.floor(Date.now() / 1000) + 10 * 3600;
    const bob = await gateway.connect({ sub: "bob", exp: far });
    await bob.must("subscribe", { channel });
    for (const byMs of [HOUR_MS, -2 * HOUR_MS]) {
      const ann = await gateway.connect({ exp: far });
      await ann.must("subscribe", { channel });
      const key = { idempotencyKey: `key ${byMs}` };
      const first = await gateway.publish(channel, byMs, key);
      ann.cut();
      await gateway.shiftClock(byMs);
      expect(await gateway.publish(channel, byMs, key)).toMatchObject({
        offset: first.offset,
        duplicate: true,
      });
      const { publications } = await bob.must("history", { channel });
      expect(publications.at(-1).offset).toBe(first.offset);
      const again = await RawClient.connect(`${gateway.wsUrl}?session=${ann.welcome.session}`);
      expect(again.welcome.resumed).toBe(true);
      const ids = [ann.welcome.connection, again.welcome.connection, bob.welcome.connection];
      expect(new Set(ids).size).toBe(3);
      await again.close();
    }
    await bob.settle();
    const events = bob.all
      .filter(({ action }) => action === "presence")
      .map(({ data }) => data.event);
    // Ann was away for a moment, and nobody heard of it, until she left for good.
    expect(events.filter((event) => event === "leave").length).toBeLessThanOrEqual(2);
    expect(bob.socket.readyState).toBe(WebSocket.OPEN);
  });

  test("[AU3] tokens are judged by the wall clock, with the skew that is stated", async () => {
    await using gateway = await startGatewayProcess();
    const now = Math.floor(Date.now() / 1000);
    const closeCode = async (exp: number) => {
      const client = await RawClient.open(`${gateway.wsUrl}?token=${await gateway.token({ exp })}`);
      const answer = await client.next("welcome").then(
        () => "welcome" as const,
        async () => (await client.closed).code,
      );
      client.cut();
      return answer;
    };
    expect(await closeCode(now + 1_800)).toBe("welcome");
    expect(await closeCode(now - 1_800)).toBe(4002);
    await gateway.shiftClock(HOUR_MS);
    expect(await closeCode(now + 1_800)).toBe(4002);
    expect(await closeCode(now + 3_600 - 30)).toBe("welcome");
    await gateway.shiftClock(-2 * HOUR_MS);
    expect(await closeCode(now - 1_800)).toBe("welcome");
    expect(await closeCode(now - 3_600 - 90)).toBe(4002);
    await eventually("all are gone", async () => (await gateway.sample()).connections === 0);
  });
});
