/** Servers that answer badly, and connections that are kept. */
import { describe, expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { LOOPBACK, OK, openClient, startCounting, startTcp, textOf } from "./support.ts";

const allowPrivate = LOOPBACK;
const at = ({ port }: { readonly port: number }, path = "/") => `http://127.0.0.1:${port}${path}`;

describe("an answer", () => {
  test("is told whole: status, headers, body; redirects are not followed", async () => {
    const seen: string[] = [];
    const server = Bun.serve({
      ...{ hostname: "127.0.0.1", port: 0 },
      async fetch(request) {
        const { pathname, search } = new URL(request.url);
        seen.push(`${request.method} ${pathname}${search} ${await request.text()}`);
        const headers = { location: "http://127.0.0.1:1/", "X-Up": "1" };
        return new Response(JSON.stringify(Object.fromEntries(request.headers)), {
          ...{ status: 302, headers },
        });
      },
    });
    using client = openClient({ allowPrivate });
    const url = `http://127.0.0.1:${server.port}/a%20b?c=d#e`;
    const told = await client.post(url, { headers: { "X-One": "1 2" } });
    expect(told).toMatchObject({ kind: "answered", status: 302, headers: { "x-up": "1" } });
    // Nothing asks for an answer to be packed.
    expect(JSON.parse(textOf(told))).toEqual({
      connection: "keep-alive",
      "content-length": "2",
      host: `127.0.0.1:${server.port}`,
      "x-one": "1 2",
    });
    expect(seen).toEqual(["POST /a%20b?c=d hi"]);
    expect(client.counted).toEqual(["test 3xx"]);
    await server.stop(true);
  });

  test("P3: of more than is asked for is cut off; one that was packed without being asked is not unpacked", async () => {
    const bomb = Bun.gzipSync(new Uint8Array(1_000_000));
    const headers = { "content-encoding": "gzip" };
    const server = Bun.serve({
      ...{ hostname: "127.0.0.1", port: 0 },
      fetch: ({ url }) =>
        url.endsWith("bomb")
          ? new Response(bomb, { headers })
          : new Response("x".repeat(10_000_000)),
    });
    using client = openClient({ allowPrivate });
    const large = await client.post(`http://127.0.0.1:${server.port}/`);
    expect(large).toEqual({ kind: "failed", why: "too_large", sent: true });
    const packed = await client.post(`http://127.0.0.1:${server.port}/bomb`, {
      answerMaxBytes: 5_000,
    });
    expect(packed).toMatchObject({ kind: "answered", status: 200 });
    if (packed.kind === "answered") expect(packed.body.byteLength).toBe(bomb.byteLength);
    await server.stop(true);
  });

  test("P3: a byte a second, none at all, and headers without end, take no more than the whole time", async () => {
    await using silent = await startTcp(() => {});
    await using endless = await startTcp((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const timer = setInterval(() => socket.write("x"), 5);
      socket.on("close", () => clearInterval(timer));
    });
    await using waiting = await startTcp((socket) => {
      const timer = setInterval(() => socket.write("HTTP/1.1 100 Continue\r\n\r\n"), 5);
      socket.on("close", () => clearInterval(timer));
    });
    await using headers = await startTcp((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(10_000_000)}`);
    });
    using client = openClient({ allowPrivate });
    const cut = await client.post(at(headers));
    expect(cut).toEqual({ kind: "failed", why: "cut", sent: true });
    const all = [silent, endless, waiting].map((server) => client.post(at(server)));
    await eventually("all to be there", () =>
      [silent, endless, waiting].every(({ pieces }) => pieces > 0),
    );
    client.clock.advance(9_999);
    expect(client.waiting()).toBe(3);
    client.clock.advance(1);
    for (const outcome of await Promise.all(all)) {
      expect(outcome).toEqual({ kind: "failed", why: "timeout", sent: true });
    }
    await eventually("the connections to be gone", () =>
      [silent, endless, waiting].every(({ sockets }) => sockets.size === 0),
    );
    expect(client.waiting()).toBe(0);
  });

  test("that ends too early is none; what could not be sent is told as not sent", async () => {
    await using half = await startTcp((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc");
      socket.end();
    });
    await using chunked = await startTcp((socket) => {
      socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab");
    });
    await using rude = await startTcp((socket) => socket.destroy());
    await using garbage = await startTcp((socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"));
    using client = openClient({ allowPrivate });
    for (const server of [half, chunked, rude, garbage]) {
      expect(await client.post(at(server))).toEqual({ kind: "failed", why: "cut", sent: true });
    }
    const nobody = await client.post("http://127.0.0.1:1/");
    expect(nobody).toEqual({ kind: "failed", why: "connect", sent: false });
  });

  test("attack P3: whose end nobody reads is under way until its connection is free: it is not told before, and cut off soon", async () => {
    await using endless = await startTcp((socket) => {
      socket.write("HTTP/1.1 201 Created\r\n\r\n");
      const timer = setInterval(() => socket.write("x"), 5);
      socket.on("close", () => clearInterval(timer));
    });
    await using large = await startTcp((socket) => {
      socket.write(`HTTP/1.1 201 Created\r\n\r\n${"x".repeat(100_000)}`);
    });
    using client = openClient({ allowPrivate });
    expect(await client.post(at(large), { answerMaxBytes: 0 })).toMatchObject({ status: 201 });
    await eventually("its connection to be gone", () => client.clock.pending === 0);
    let isTold = false;
    const told = client.post(at(endless), { answerMaxBytes: 0 }).finally(() => {
      isTold = true;
    });
    await eventually("the answer to have begun", () => client.clock.pending > 1);
    client.clock.advance(999);
    await client.post(at(large));
    expect(isTold).toBe(false);
    client.clock.advance(1);
    expect(await told).toMatchObject({ kind: "answered", status: 201 });
    await eventually("the connections to be gone", () => endless.sockets.size === 0);
    expect(client.waiting()).toBe(0);
  });

  test("of one request is not taken for that of the next", async () => {
    await using two = await startTcp((socket) =>
      socket.write(`${OK}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`),
    );
    using client = openClient({ allowPrivate });
    for (let n = 0; n < 5; n++) expect(textOf(await client.post(at(two)))).toBe("ok");
  });
});

describe("a request", () => {
  test("attack: header injection, smuggling, and headers that are the connection's own", async () => {
    await using server = await startTcp((socket) => socket.write(OK));
    using client = openClient({ allowPrivate });
    const wrong = [
      ...[
        { x: "a\r\nb: c" },
        { x: "a\nb" },
        { "x y": "1" },
        { "x:": "1" },
        { x: "\u0000" },
        { x: "€" },
      ],
      ...[
        { Host: "a" },
        { "transfer-encoding": "chunked" },
        { "Content-Length": "0" },
        { "": "x" },
      ],
    ];
    for (const headers of wrong) {
      expect(await client.post(at(server), { headers: headers as Record<string, string> })).toEqual(
        {
          kind: "refused",
          why: "headers",
        },
      );
    }
    expect(server.opened).toBe(0);
    expect(textOf(await client.post(at(server)))).toBe("ok");
  });

  test("ends when its signal does, or the client closes, wherever it is", async () => {
    await using silent = await startTcp(() => {});
    using client = openClient({ allowPrivate, connectionsPerOrigin: 1 });
    const aborting = new AbortController();
    const { signal } = aborting;
    const first = client.post(at(silent), { signal });
    const second = client.post(at(silent), { signal });
    await eventually("the first to be there", () => silent.pieces === 1);
    aborting.abort();
    expect(await first).toMatchObject({ why: "aborted" });
    expect(await second).toEqual({ kind: "failed", why: "aborted", sent: false });
    expect(await client.post(at(silent), { signal })).toMatchObject({ why: "aborted" });
    const third = client.post(at(silent));
    await eventually("the third to be there", () => silent.pieces === 2);
    client[Symbol.dispose]();
    expect(await third).toEqual({ kind: "failed", why: "aborted", sent: true });
    expect(await client.post(at(silent))).toMatchObject({ why: "aborted" });
  });
});

describe("connections", () => {
  test("are kept for the next request, and are no more than so many to one server", async () => {
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("ok") });
    await using counting = await startCounting(server.port ?? 0);
    using client = openClient({ allowPrivate, connectionsPerOrigin: 4 });
    for (let n = 0; n < 5; n++) await client.post(at(counting));
    expect(counting.opened).toBe(1);
    const many = Array.from({ length: 40 }, () => client.post(at(counting)));
    for (const outcome of await Promise.all(many)) expect(textOf(outcome)).toBe("ok");
    expect(counting.opened).toBeLessThanOrEqual(4);
    expect(client.waiting()).toBe(0);
    await server.stop(true);
  });

  test("P3: without a request are closed after a while, and beyond so many at once", async () => {
    const servers = await Promise.all([1, 2, 3].map(() => startTcp((socket) => socket.write(OK))));
    using client = openClient({ allowPrivate, idleMax: 2, idleMs: 300 }, { real: true });
    for (const server of servers) await client.post(at(server));
    const open = () => servers.map(({ sockets }) => sockets.size);
    await eventually("the first to be gone", () => open()[0] === 0);
    await eventually("all to be gone", () => open().every((count) => count === 0));
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  test("that the other side has closed are not used again", async () => {
    await using closing = await startTcp((socket) => {
      socket.write(OK);
      setImmediate(() => socket.end());
    });
    using client = openClient({ allowPrivate });
    for (let n = 1; n <= 5; n++) {
      expect(textOf(await client.post(at(closing)))).toBe("ok");
      await eventually("it to be closed", () => closing.sockets.size === 0);
      expect(closing.opened).toBe(n);
    }
  });

  test("that are closed under a request: it is told as sent, as it may have been", async () => {
    let requests = 0;
    await using closing = await startTcp((socket) => {
      if (requests++ === 0) socket.write(OK);
      else socket.destroy();
    });
    using client = openClient({ allowPrivate });
    expect(textOf(await client.post(at(closing)))).toBe("ok");
    const second = await client.post(at(closing));
    expect(second).toEqual({ kind: "failed", why: "cut", sent: true });
    expect(requests).toBe(2);
  });

  test("P3: one server that hangs takes no turn of another; too many that wait fail at once", async () => {
    await using silent = await startTcp(() => {});
    await using good = await startTcp((socket) => socket.write(OK));
    using client = openClient({
      ...{ allowPrivate, connectionsPerOrigin: 2, connectionsMax: 3, waitingMax: 4 },
    });
    const hanging = Array.from({ length: 6 }, () => client.post(at(silent)));
    const busy = await client.post(at(silent));
    expect(busy).toEqual({ kind: "failed", why: "busy", sent: false });
    for (let n = 0; n < 3; n++) expect(textOf(await client.post(at(good)))).toBe("ok");
    client.clock.advance(10_000);
    const outcomes = await Promise.all(hanging);
    expect(outcomes.map((outcome) => "sent" in outcome && outcome.sent)).toEqual([
      ...[true, true, false, false, false, false],
    ]);
    expect(textOf(await client.post(at(good)))).toBe("ok");
    expect(client.waiting()).toBe(0);
  });
});
