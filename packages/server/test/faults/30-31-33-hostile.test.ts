import { describe, expect, test } from "bun:test";
import { connectTcp, startBystander, startGatewayProcess, startTestGateway } from "@aldis/testkit";

const MIB = 1024 * 1024;

describe("faults 30, 33: bodies that are not what they seem", () => {
  test("[P3] a gzip bomb is not unpacked", async () => {
    await using gateway = await startGatewayProcess();
    const bystander = await startBystander(gateway);
    const before = await gateway.sample({ collect: true });
    const bomb = Bun.gzipSync(Buffer.alloc(256 * MIB, " "));
    for (const encoding of ["gzip", "x-gzip", "gzip, gzip"]) {
      const answer = await fetch(`${gateway.url}/api/publish`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${gateway.apiKey}`,
          "content-type": "application/json",
          "content-encoding": encoding,
        },
        body: bomb,
      });
      expect([400, 413, 415]).toContain(answer.status);
    }
    const after = await gateway.sample({ collect: true });
    expect(after.rssBytes - before.rssBytes).toBeLessThan(64 * MIB);
    expect(after.counters.faults).toBe(0);
    expect(bystander.look().trouble).toBeUndefined();
    await bystander.stop();
  });

  test("[P3] a chunked body without end: refused at the limit, whatever the chunks", async () => {
    await using gateway = await startGatewayProcess({ listen: { bodyMaxBytes: 64 * 1024 } });
    const before = await gateway.sample({ collect: true });
    for (const size of [1, 1_000, 60_000]) {
      const tcp = await connectTcp(gateway.port);
      tcp.write(
        `POST /api/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.apiKey}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      const chunk = `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`.repeat(
        Math.ceil(60_000 / size),
      );
      for (let n = 0; n < 40 && !tcp.ended; n++) {
        tcp.write(chunk);
        await Bun.sleep(0);
      }
      const answer = await tcp.until("an answer", (bytes) => bytes.includes("\r\n\r\n"));
      expect(answer.toString()).toStartWith("HTTP/1.1 413");
      tcp.close();
    }
    const after = await gateway.sample({ collect: true });
    expect(after.rssBytes - before.rssBytes).toBeLessThan(48 * MIB);
  });
});

describe("faults 31: names that would forge a log", () => {
  const HOSTILE = [
    'x","level":60,"msg":"forged',
    'x\n{"level":60,"msg":"forged"}',
    "x\r\nforged",
    "x\u2028forged",
    "\u001b[2Jforged",
    "x\0forged",
    "%0aforged",
  ];

  test("[P7] logs stay one JSON object a line, and hold no name, token or message of a client", async () => {
    await using gateway = await startTestGateway({ config: { log: { level: "debug" } } });
    for (const name of HOSTILE) {
      const token = await gateway.token({ sub: name, name, email: `${name}@example.com` });
      const client = new WebSocket(`${gateway.wsUrl}?token=${token}`);
      client.addEventListener("open", () => {
        client.send(JSON.stringify({ action: name, id: name, data: { channel: name } }));
        client.send(
          JSON.stringify({ action: "publish", id: 1, data: { channel: name, data: name } }),
        );
        client.send(JSON.stringify({ action: "ping", id: "end" }));
      });
      await new Promise((resolve) => {
        client.addEventListener("close", resolve);
        client.addEventListener(
          "message",
          ({ data }) => String(data).includes('"end"') && client.close(),
        );
      });
      await gateway.call("POST", "/api/publish", { channel: name, data: name });
      await fetch(`${gateway.url}/${encodeURIComponent(name)}`);
    }
    expect(gateway.logged.length).toBeGreaterThan(0);
    for (const line of gateway.logged) {
      expect(line).toEndWith("\n");
      const inside = line.trimEnd();
      expect(["\n", "\r", "\u2028", "\u001b"].filter((each) => inside.includes(each))).toBeEmpty();
      expect(JSON.parse(line)).toBeObject();
      expect(line).not.toContain("forged");
      expect(line).not.toContain("example.com");
    }
  });
});
