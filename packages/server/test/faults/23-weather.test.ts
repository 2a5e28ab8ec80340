import { describe, expect, test } from "bun:test";
import { createSeededRandom, eventually, runFault } from "@aldis/testkit";

describe("faults 23: bad networks", () => {
  test("[P1] 300 ms of delay and 5 % loss: nobody is given up, and all comes in order", async () => {
    const weather = { delayMs: 300, loss: 0.05, random: createSeededRandom(23) };
    const config = { heartbeat: { pingIntervalMs: 500, idleTimeoutMs: 30_000 } };
    const report = await runFault({ config, subscribers: 15 }, async (run) => {
      run.proxy.weather = weather;
      await run.published(300);
      run.proxy.weather = undefined;
    });
    // Late is not dead: the tolerances of both sides are wider than such a network is slow.
    expect(report.after.counters.connectionsClosed).toBe(report.before.counters.connectionsClosed);
    expect(report.resumes.possible).toBe(0);
  });

  test("[P1] cut in bad weather, they come back, and go on from where they stood", async () => {
    const weather = { delayMs: 150, loss: 0.05, random: createSeededRandom(5) };
    const report = await runFault({ subscribers: 15 }, async (run) => {
      run.proxy.weather = weather;
      for (let round = 0; round < 3; round++) {
        await run.published(30);
        run.proxy.cut();
      }
      await run.published(30);
    });
    expect(report.resumes.recovered).toBe(report.resumes.possible);
    expect(report.resumes.possible).toBeGreaterThan(15);
  });

  test("a network that swallows everything: the state says so, and a session that is over is told apart", async () => {
    const config = {
      heartbeat: { pingIntervalMs: 100, idleTimeoutMs: 400 },
      session: { resumeMs: 200 },
      namespaces: { load: { history: { size: 20 } } },
    };
    const sdk = { pingTimeoutMs: 200, connectTimeoutMs: 500 };
    const report = await runFault({ config, sdk, subscribers: 8, historySize: 20 }, async (run) => {
      run.proxy.frozen = true;
      const states = () => run.subscribers.map(({ client }) => client.state.name);
      await eventually("nobody says connected", () => !states().includes("connected"));
      // The gateway has given them up too, and forgotten where they stood.
      await eventually("their sessions are over", async () => {
        const { connections } = await run.gateway.sample();
        return connections <= run.stayers.length + run.publishers.length + 1;
      });
      await run.published(100);
      run.proxy.frozen = false;
      await eventually("all are back", () => states().every((name) => name === "connected"));
      await run.published(10);
    });
    expect(report.resumes.possible).toBe(0);
  });
});
