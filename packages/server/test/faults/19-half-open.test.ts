import { describe, expect, test } from "bun:test";
import {
  connectTcp,
  eventually,
  startBystander,
  startGatewayProcess,
  type TcpClient,
  ws,
} from "@aldis/testkit";

const HALF_OPEN = 1_500;
const MIB = 1024 * 1024;
const head = ws.upgradeRequest("/ws?token=none");

/** Nothing; half a request line; half a head; a head without its end; a body that does not come. */
const BEGINNINGS = [
  "",
  "GET /w",
  head.slice(0, 60),
  head.slice(0, -2),
  "POST /api/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
];

describe("faults 19: connections that never become one", () => {
  test("[P3] thousands of them, some a byte at a time: real clients are let in, memory is bounded, all are ended", async () => {
    await using gateway = await startGatewayProcess();
    const bystander = await startBystander(gateway);
    const before = await gateway.sample({ collect: true });
    const opened: TcpClient[] = [];
    for (let n = 0; n < HALF_OPEN; n++) {
      const tcp = await connectTcp(gateway.port);
      tcp.write(BEGINNINGS[n % BEGINNINGS.length] ?? "");
      opened.push(tcp);
    }
    const slow = opened.filter((_, n) => n % BEGINNINGS.length === 3);
    const dripping = setInterval(() => {
      for (const tcp of slow) tcp.write("X");
    }, 1_000);
    const during = await gateway.sample({ collect: true });
    expect(during.descriptors).toBeGreaterThan(before.descriptors + HALF_OPEN / 2);
    expect(during.rssBytes - before.rssBytes).toBeLessThan(64 * MIB);
    const { answers } = bystander;
    for (let n = 0; n < 20; n++) {
      const client = await gateway.connect({ sub: `real-${n}` });
      await client.close();
    }
    expect(bystander.answers).toBeGreaterThan(answers);
    await eventually("all are ended", () => opened.every(({ ended }) => ended));
    clearInterval(dripping);
    await eventually("and forgotten", async () => {
      const { descriptors } = await gateway.sample();
      return descriptors <= before.descriptors + 1;
    });
    const report = bystander.look();
    expect(report.trouble).toBeUndefined();
    await bystander.stop();
  });

  test("[AU2] upgraded and never saying who it is: closed with 4001, the others stay", async () => {
    await using gateway = await startGatewayProcess({ auth: { timeoutMs: 300 } });
    const bystander = await startBystander(gateway);
    const silent = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const tcp = await connectTcp(gateway.port);
        tcp.write(ws.upgradeRequest("/ws"));
        return tcp;
      }),
    );
    await eventually("all are ended", () => silent.every(({ ended }) => ended));
    for (const tcp of silent) expect(ws.closeCodeOf(tcp.received())).toBe(4001);
    expect(bystander.look().trouble).toBeUndefined();
    await bystander.stop();
  });
});
