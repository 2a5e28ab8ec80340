import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { eventually, openRawSocket, RawClient, startTestGateway, ws } from "@aldis/testkit";

const { frame, OPCODE } = ws;

describe("TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "aldis-tls-"));
  const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
  const openssl = Bun.which("openssl");

  beforeAll(() => {
    if (openssl === null) return;
    const { certFile, keyFile } = files;
    const made = Bun.spawnSync([
      ...[openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
      ...["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", keyFile, "-out", certFile],
      ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
    ]);
    expect(made.exitCode).toBe(0);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.skipIf(openssl === null)(
    "WebSockets, the API and health over TLS, and nothing in the clear",
    async () => {
      await using gateway = await startTestGateway({ config: { listen: { tls: files } } });
      expect(gateway.url).toStartWith("https://");
      const tls = { ca: await Bun.file(files.certFile).text() };
      const url = `${gateway.wsUrl}?token=${await gateway.token()}`;
      expect(url).toStartWith("wss://");
      const socket = new WebSocket(url, { tls } as never);
      const welcome = await new Promise<string>((resolve, reject) => {
        socket.addEventListener("message", ({ data }) => resolve(String(data)));
        socket.addEventListener("close", ({ code }) => reject(new Error(`closed with ${code}`)));
      });
      expect(JSON.parse(welcome)).toMatchObject({ action: "welcome" });
      expect((await fetch(`${gateway.url}/health/live`, { tls })).status).toBe(200);
      const published = await fetch(`${gateway.url}/api/publish`, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.apiKey}`, "content-type": "application/json" },
        body: JSON.stringify({ channel: "chat:lobby", data: 1 }),
        tls,
      });
      expect(published.status).toBe(200);
      await expect(fetch(`${gateway.url}/health/live`)).rejects.toThrow();
      await expect(fetch(`http://127.0.0.1:${gateway.gateway.port}/health/live`)).rejects.toThrow();
    },
  );
});

describe("permessage-deflate", () => {
  const DEFLATE = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"];
  const compression = { compression: true, compressionMinBytes: 1_000 };

  async function openWith(headers: string[], listen: object) {
    const gateway = await startTestGateway({ config: { listen } });
    const path = `/ws?token=${await gateway.token()}`;
    const raw = await openRawSocket(gateway.gateway.port, path, headers);
    return { gateway, raw, [Symbol.asyncDispose]: gateway[Symbol.asyncDispose] };
  }

  test("is negotiated when it is on and offered, and not otherwise", async () => {
    for (const [headers, listen, on] of [
      [DEFLATE, compression, true],
      [DEFLATE, {}, false],
      [[], compression, false],
    ] as const) {
      await using t = await openWith([...headers], listen);
      expect(/permessage-deflate/i.test(t.raw.head)).toBe(on);
    }
  });

  test("frames of compressionMinBytes are compressed, smaller ones are not", async () => {
    await using t = await openWith(DEFLATE, compression);
    t.raw.send("subscribe", { channel: "chat:lobby" }, 1);
    const text = "abc".repeat(5_000);
    await t.gateway.publish("chat:lobby", "small");
    await t.gateway.publish("chat:lobby", text);
    const big = await eventually("the compressed frame", () =>
      t.raw.frames().find(({ reserved }) => reserved === 4),
    );
    expect(big.payload.length).toBeLessThan(1_000);
    const tail = Buffer.from([0, 0, 0xff, 0xff]);
    const inflated = inflateRawSync(Buffer.concat([big.payload, tail]), { finishFlush: 2 });
    expect(JSON.parse(inflated.toString())).toMatchObject({ data: { offset: 2, data: text } });
    const plain = t.raw.frames().filter(({ reserved, opcode }) => reserved === 0 && opcode === 1);
    expect(plain.map(({ payload }) => payload.toString()).join("")).toContain('"data":"small"');
  });

  test("the limit is compressionMinBytes to the byte, for either codec", async () => {
    for (const codec of ["aldis.json", "aldis.msgpack"]) {
      await using t = await openWith([...DEFLATE, `Sec-WebSocket-Protocol: ${codec}`], compression);
      const opcode = codec === "aldis.json" ? OPCODE.text : OPCODE.binary;
      const ofBytes = (bytes: number) => {
        const frames = t.raw.frames().filter((each) => each.opcode === opcode);
        return frames.find(({ reserved, payload }) => reserved === 0 && payload.length === bytes);
      };
      const ann = await t.gateway.connect({ sub: "bob" });
      const userOf = (length: number) => ({ user: "ann", data: "x".repeat(length) });
      await eventually("welcome", () => t.raw.frames().length > 0);
      // What stands around the text is of the same length each time.
      await ann.must("send", userOf(700));
      const plain = () => t.raw.frames().filter((each) => each.opcode === opcode);
      const around = await eventually("the first", () =>
        plain().find(({ payload }) => payload.length > 700),
      );
      const room = 1_000 - around.payload.length + 700;
      await ann.must("send", userOf(room - 1));
      await eventually("999 bytes, plain", () => ofBytes(999));
      await ann.must("send", userOf(room));
      await eventually("1,000 bytes, compressed", () =>
        plain().some(({ reserved, payload }) => reserved === 4 && payload.length < 500),
      );
      expect(ofBytes(1_000)).toBeUndefined();
    }
  });

  test("a real client reads compressed messages, in order with plain ones", async () => {
    await using gateway = await startTestGateway({ config: { listen: compression } });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:lobby" });
    for (let n = 1; n <= 20; n++) {
      await gateway.publish("chat:lobby", n % 2 === 0 ? n : `${n} ${"long ".repeat(2_000)}`);
    }
    for (let n = 1; n <= 20; n++) expect((await ann.next("message")).data.offset).toBe(n);
  });

  const compressed = (bytes: Buffer) => deflateRawSync(bytes, { finishFlush: 2 }).subarray(0, -4);

  test("a compressed command is understood", async () => {
    await using t = await openWith(DEFLATE, compression);
    const command = compressed(Buffer.from('{"action":"ping","id":"zipped"}'));
    t.raw.write(frame(OPCODE.text, command, { reserved: 4 }));
    await t.raw.message("pong", ({ id }) => id === "zipped");
  });

  test("[FR5] a compression bomb is bounded by frameMaxBytes and closed with 1009 (faults 33)", async () => {
    await using t = await openWith(DEFLATE, compression);
    const bystander = await t.gateway.connect();
    const bomb = compressed(Buffer.alloc(50_000_000, 0x20));
    expect(bomb.length).toBeLessThan(65_536);
    const before = process.memoryUsage().rss;
    t.raw.write(frame(OPCODE.text, bomb, { reserved: 4 }));
    expect(await t.raw.closed()).toBe(1009);
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
    await bystander.settle();
  });

  test("[FR5] what is no compressed data closes with 1007", async () => {
    await using t = await openWith(DEFLATE, compression);
    t.raw.write(frame(OPCODE.text, "not deflated at all", { reserved: 4 }));
    expect(await t.raw.closed()).toBe(1007);
  });
});

describe("origins (faults 31)", () => {
  async function opens(origins: string[], origin: string): Promise<boolean> {
    await using gateway = await startTestGateway({ config: { listen: { origins, echo: true } } });
    const { port } = gateway.gateway;
    const headers = [`Origin: ${origin}`];
    const path = `/ws?token=${await gateway.token()}`;
    const answers = [];
    for (const each of [path, "/echo"]) {
      const raw = await openRawSocket(port, each, headers);
      answers.push(raw.head.includes(" 101 "));
      if (!raw.head.includes(" 101 ")) expect(raw.head).toContain(" 403 ");
      raw.cut();
    }
    expect(new Set(answers).size).toBe(1);
    return answers[0] ?? false;
  }

  test("`self` is this very host; programs without an origin are let in", async () => {
    expect(await opens(["self"], "http://127.0.0.1")).toBe(true);
    for (const origin of ["http://evil.example", "null", "http://127.0.0.1.evil.example", "x"]) {
      expect([origin, await opens(["self"], origin)]).toEqual([origin, false]);
    }
    await using gateway = await startTestGateway({ config: { listen: { origins: [] } } });
    await gateway.connect();
  });

  test("those that are listed, and no others", async () => {
    const origins = ["https://app.example", "https://*.apps.example", "http://localhost:*"];
    for (const [origin, allowed] of [
      ["https://app.example", true],
      ["https://APP.example", true],
      ["https://x.apps.example", true],
      ["https://a.b.apps.example", true],
      ["http://localhost:3000", true],
      ["http://app.example", false],
      ["https://app.example:444", false],
      ["https://app.example.evil.example", false],
      ["https://evil-apps.example", false],
      ["https://apps.example", false],
      ["https://app.example/path", false],
      ["https://user@app.example", false],
      ["http://127.0.0.1", false],
    ] as const) {
      expect([origin, await opens(origins, origin)]).toEqual([origin, allowed]);
    }
  });

  test("`*` lets all in", async () => {
    expect(await opens(["*"], "https://anywhere.example")).toBe(true);
  });
});

describe("the echo endpoint", () => {
  test("gives text and bytes back as they came, needs no token, and is off unless configured", async () => {
    await using gateway = await startTestGateway({ config: { listen: { echo: true } } });
    const raw = await openRawSocket(gateway.gateway.port, "/echo");
    raw.write(frame(OPCODE.text, "not JSON é"));
    raw.write(frame(OPCODE.binary, Buffer.from([0, 255, 1])));
    await eventually("both", () => raw.frames().length === 2);
    const [text, binary] = raw.frames();
    expect([text?.opcode, text?.payload.toString()]).toEqual([1, "not JSON é"]);
    expect([binary?.opcode, binary?.payload]).toEqual([2, Buffer.from([0, 255, 1])]);
    expect(gateway.gateway.connections).toBe(0);
    await using without = await startTestGateway();
    await expect(RawClient.open(without.wsUrl.replace("/ws", "/echo"))).rejects.toThrow();
  });
});
