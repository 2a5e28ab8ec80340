import { expect, test } from "bun:test";
import { eventually, runFault } from "@aldis/testkit";

const CLIENTS = 2_000;
const MIB = 1024 * 1024;

test("faults 17: two thousand clients are cut at once: all are back, and those who stayed lose nothing", async () => {
  // The client's own backoff: with full jitter over the first half second.
  const sdk = { backoff: { minMs: 500, maxMs: 20_000 }, connectTimeoutMs: 30_000 };
  const options = { subscribers: CLIENTS, stayers: 5, channels: ["load:a"], pauseMs: 100, sdk };
  const report = await runFault(
    { ...options, allow: { heapBytes: 64 * MIB, rssBytes: 512 * MIB } },
    async ({ gateway, proxy, subscribers, published }) => {
      proxy.cut();
      await eventually("all are back", async () => {
        const { counters } = await gateway.sample();
        return counters.sessionsResumed === CLIENTS;
      });
      const connected = () => subscribers.every(({ client }) => client.state.name === "connected");
      await eventually("all know it", connected);
      // Whoever resumes shows a secret or a token that was judged before.
      expect((await gateway.sample()).counters.tokensRefused).toEqual({});
      await published(5);
    },
  );
  expect(report.resumes).toEqual({ possible: CLIENTS, recovered: CLIENTS });
  expect(report.after.connections).toBe(report.before.connections);
}, 120_000);
