import { describe, expect, test } from "bun:test";
import { eventually, RawClient, runFault, startGatewayProcess } from "@aldis/testkit";

const channel = "chat:lobby";

describe("faults 20: a session and more than one who wants it", () => {
  test("[SE7] twenty at once, again and again: one has it in the end, each other was told, nothing leaks", async () => {
    await using gateway = await startGatewayProcess();
    const first = await gateway.connect();
    await first.must("subscribe", { channel });
    const before = await gateway.sample({ collect: true });
    const { session } = first.welcome;
    const told: number[] = [];
    let last: RawClient = first;
    for (let round = 0; round < 5; round++) {
      const all = await Promise.all(
        Array.from({ length: 20 }, () => RawClient.connect(`${gateway.wsUrl}?session=${session}`)),
      );
      for (const each of [last, ...all]) void each.closed.then(({ code }) => told.push(code));
      const open = () => all.filter(({ socket }) => socket.readyState === WebSocket.OPEN);
      await eventually("one is left", () => open().length === 1);
      last = open()[0] ?? last;
    }
    await eventually("all others were told", () => told.length >= 100);
    expect(new Set(told)).toEqual(new Set([4501]));
    const { offset } = await gateway.publish(channel, "for one");
    await last.wait(({ data }) => data?.offset === offset && data.data === "for one");
    await eventually("nothing else is left", async () => {
      const { connections, descriptors } = await gateway.sample();
      // The request over HTTP is kept alive for a while.
      return connections === before.connections && descriptors <= before.descriptors + 1;
    });
  });

  test("[SE6] a thousand guesses at the secret of a known session open nothing, and leave it alone", async () => {
    await using gateway = await startGatewayProcess();
    const ann = await gateway.connect();
    const [id = "", secret = ""] = ann.welcome.session.split(".");
    const guesses = Array.from({ length: 1_000 }, (_, n) => {
      const at = n % secret.length;
      return `${secret.slice(0, at)}${secret[at] === "A" ? "B" : "A"}${secret.slice(at + 1)}`;
    });
    for (let at = 0; at < guesses.length; at += 100) {
      const batch = guesses.slice(at, at + 100).map(async (guess) => {
        const client = await RawClient.open(`${gateway.wsUrl}?session=${id}.${guess}`);
        return (await client.closed).code;
      });
      expect(new Set(await Promise.all(batch))).toEqual(new Set([4002]));
    }
    await ann.settle();
    expect((await gateway.sample()).connections).toBe(1);
  });
});

test("[PB2] faults 21: replies that never come: every publish is repeated, none counts twice", async () => {
  const report = await runFault({ subscribers: 8, publishers: 4 }, async (run) => {
    // The publishers are cut where it hurts: their command has gone, its answer has not come.
    for (let round = 0; round < 15; round++) {
      run.publisherProxy.frozenToClient = true;
      const { publications } = (await run.gateway.sample()).counters;
      await eventually("they are published", async () => {
        const { counters } = await run.gateway.sample();
        return counters.publications > publications;
      });
      run.publisherProxy.cut();
      run.publisherProxy.frozenToClient = false;
      await run.published(8);
    }
  });
  expect(report.counts.acknowledged).toBe(report.counts.intended);
});

describe("faults 22: a client that comes and goes in channels", () => {
  test("[P3] subscribing and leaving as fast as it can, in ten thousand channels: nothing is left", async () => {
    const config = { channel: { streamsMax: 1_000 }, limits: { subscriptionsPerConnection: 100 } };
    const report = await runFault({ config, subscribers: 4 }, async ({ gateway }) => {
      const churner = await gateway.connect({ sub: "churner" });
      for (let n = 0; n < 10_000; n++) {
        churner.send("subscribe", { channel: `churn:${n}` });
        churner.send("unsubscribe", { channel: `churn:${n}` });
        if (n % 500 === 0) await churner.settle();
      }
      await churner.settle();
      expect(churner.all.filter(({ action }) => action === "error")).toBeEmpty();
      for (let n = 0; n < 10_000; n++) churner.send("subscribe", { channel: `many:${n}` });
      await churner.settle();
      const refused = churner.all.filter(({ action }) => action === "error");
      expect(refused).toHaveLength(9_900);
      expect(new Set(refused.map(({ data }) => data.code))).toEqual(new Set(["limit_reached"]));
      await churner.close();
    });
    expect(report.after.counters.faults).toBe(0);
  });
});
