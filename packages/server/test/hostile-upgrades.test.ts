import { describe, expect, test } from "bun:test";
import { connectTcp, eventually, startTestGateway, ws } from "@aldis/testkit";

const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const VERSION = "Sec-WebSocket-Version: 13";
const UPGRADE = ["Upgrade: websocket", "Connection: Upgrade"];

function request(line: string, headers: readonly string[]): string {
  return [line, ...headers, "", ""].join("\r\n");
}
const get = (headers: readonly string[]) =>
  request("GET /ws HTTP/1.1", ["Host: 127.0.0.1", ...headers]);

/** What is no upgrade, and the status that says so. */
const REFUSED: [string, string, number][] = [
  ["no key", get([...UPGRADE, VERSION]), 400],
  ["a short key", get([...UPGRADE, "Sec-WebSocket-Key: abc", VERSION]), 400],
  ["an old version", get([...UPGRADE, KEY, "Sec-WebSocket-Version: 8"]), 426],
  ["no version", get([...UPGRADE, KEY]), 426],
  ["no upgrade", get([KEY, VERSION]), 400],
  ["an upgrade to something else", get(["Upgrade: h2c", "Connection: Upgrade", KEY, VERSION]), 400],
  [
    "POST",
    request("POST /ws HTTP/1.1", [
      "Host: 127.0.0.1",
      ...UPGRADE,
      KEY,
      VERSION,
      "Content-Length: 0",
    ]),
    400,
  ],
  ["no Host", request("GET /ws HTTP/1.1", [...UPGRADE, KEY, VERSION]), 400],
  ["headers of 100 kB", get([...UPGRADE, KEY, VERSION, `X-Big: ${"x".repeat(100_000)}`]), 431],
  [
    "a thousand headers",
    get([...UPGRADE, KEY, VERSION, ...Array.from({ length: 1_000 }, (_, i) => `X-${i}: x`)]),
    431,
  ],
  ["a header without a colon", get([...UPGRADE, KEY, VERSION, "nonsense"]), 400],
  ["bytes of TLS", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400],
  [
    "both lengths (request smuggling)",
    `${request("POST /api/publish HTTP/1.1", ["Host: x", "Content-Length: 5", "Transfer-Encoding: chunked"])}0\r\n\r\n`,
    400,
  ],
  [
    "two lengths",
    request("POST /api/publish HTTP/1.1", ["Host: x", "Content-Length: 5", "Content-Length: 6"]),
    400,
  ],
];

/** Hosts that no URL can hold. */
const HOSTS = ["[", "a b", "x:99999999", "a%%b", "\\", "<script>", "x/../y", "x#y", "x?y", "@"];

describe("faults 19, 24, 30: upgrades that are none", () => {
  test.each(REFUSED)("%s is refused, and others go on", async (_, bytes, status) => {
    await using gateway = await startTestGateway();
    const bystander = await gateway.connect();
    const logged = gateway.logged.length;
    const tcp = await connectTcp(gateway.gateway.port);
    tcp.write(bytes);
    const answer = await tcp.until("an answer", (received) => received.includes("\r\n\r\n"));
    expect(answer.toString()).toStartWith(`HTTP/1.1 ${status}`);
    tcp.close();
    await bystander.settle();
    expect(gateway.gateway.counters.faults).toBe(0);
    expect(gateway.logged.length).toBe(logged);
  });

  test.each(HOSTS)("the Host %p is the sender's fault and nobody else's", async (host) => {
    await using gateway = await startTestGateway();
    const logged = gateway.logged.length;
    for (const path of ["/health/live", "/ws", "/api/publish", "/nothing"]) {
      const tcp = await connectTcp(gateway.gateway.port);
      tcp.write(request(`GET ${path} HTTP/1.1`, [`Host: ${host}`]));
      const answer = await tcp.until("an answer", (received) => received.includes("\r\n\r\n"));
      expect(answer.toString()).not.toMatch(/^HTTP\/1\.1 5/);
      tcp.close();
    }
    expect(gateway.gateway.counters.faults).toBe(0);
    expect(gateway.logged.length).toBe(logged);
  });

  test("[P7] a token in a broken request is not logged", async () => {
    await using gateway = await startTestGateway();
    const token = await gateway.token();
    const tcp = await connectTcp(gateway.gateway.port);
    tcp.write(
      ws.upgradeRequest(`/ws?token=${token}`).replace("Host: 127.0.0.1", "Host: x:99999999"),
    );
    await tcp.until("an answer", (received) => received.includes("\r\n\r\n"));
    tcp.close();
    expect(gateway.logged.join("")).not.toContain(token);
  });

  test("paths that try to leave are no way anywhere", async () => {
    await using gateway = await startTestGateway();
    for (const path of ["/../ws", "//ws", "/%77s", "/ws%00", "/./nothing", "*", "/ws\\..\\api"]) {
      const tcp = await connectTcp(gateway.gateway.port);
      tcp.write(request(`GET ${path} HTTP/1.1`, ["Host: x"]));
      const answer = await tcp.until("an answer", (received) => received.includes("\r\n\r\n"));
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 4/);
      tcp.close();
    }
    expect(gateway.gateway.counters.faults).toBe(0);
  });

  test("without a Host, which HTTP/1.0 need not have, the path is still what was sent", async () => {
    await using gateway = await startTestGateway();
    const tcp = await connectTcp(gateway.gateway.port);
    const key = `Authorization: Bearer ${gateway.apiKey}`;
    tcp.write(request("GET /nothing?u=http://h/api/channels HTTP/1.0", [key]));
    const answer = await tcp.until("an answer", (received) => received.includes("\r\n\r\n"));
    expect(answer.toString()).toMatch(/^HTTP\/1\.\d 404/);
    tcp.close();
  });

  test("a header that comes byte by byte is waited for, and holds up nobody", async () => {
    await using gateway = await startTestGateway();
    const bystander = await gateway.connect();
    const tcp = await connectTcp(gateway.gateway.port);
    const head = ws.upgradeRequest(`/ws?token=${await gateway.token()}`);
    for (const byte of Buffer.from(head)) {
      tcp.write(Buffer.from([byte]));
      if (byte === 0x0a) await bystander.settle();
    }
    await tcp.until("welcome", (bytes) => bytes.includes("welcome"));
    tcp.close();
  });

  test("two hundred connections that say nothing, or half a request, hold up nobody", async () => {
    await using gateway = await startTestGateway();
    const silent = await Promise.all(
      Array.from({ length: 200 }, () => connectTcp(gateway.gateway.port)),
    );
    for (const [index, tcp] of silent.entries()) if (index % 2 === 0) tcp.write("GET /ws HTTP/1.1");
    const clients = await Promise.all(Array.from({ length: 20 }, () => gateway.connect()));
    for (const client of clients) await client.settle();
    for (const tcp of silent) tcp.close();
    expect(gateway.gateway.connections).toBe(20);
  });

  test("what follows the upgrade in the same packet is read as frames", async () => {
    await using gateway = await startTestGateway();
    const tcp = await connectTcp(gateway.gateway.port);
    const head = ws.upgradeRequest(`/ws?token=${await gateway.token()}`);
    tcp.write(
      Buffer.concat([
        Buffer.from(head),
        ws.frame(ws.OPCODE.text, '{"action":"ping","id":"early"}'),
      ]),
    );
    await tcp.until("pong", (bytes) => bytes.includes('"id":"early"'));
    tcp.close();
  });

  test("who upgrades and goes at once leaves nothing behind", async () => {
    await using gateway = await startTestGateway();
    const path = `/ws?token=${await gateway.token()}`;
    const { counters } = gateway.gateway;
    for (let n = 0; n < 50; n++) {
      const tcp = await connectTcp(gateway.gateway.port);
      tcp.write(ws.upgradeRequest(path));
      tcp.close();
    }
    const bystander = await gateway.connect();
    await eventually(
      "all have gone",
      () => counters.connectionsOpened - counters.connectionsClosed === 1,
    );
    await bystander.settle();
    expect(gateway.gateway.connections).toBe(1);
    expect(counters.faults).toBe(0);
  });
});
