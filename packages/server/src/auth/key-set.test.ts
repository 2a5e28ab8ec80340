import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { createKeySet, type KeySet, type KeySetOptions, type KeySetOutcome } from "./key-set.ts";
import { KeysUnavailable } from "./refusals.ts";
import { createFakeClock, type FakeClock } from "./test/fake-clock.ts";
import { createKeyServer, type KeyServer, until } from "./test/key-server.ts";
import { createKeyPair, type KeyPair } from "./test/tokens.ts";

describe("key set (faults 28)", () => {
  let first: KeyPair;
  let second: KeyPair;
  let third: KeyPair;
  const closing: (() => void | Promise<void>)[] = [];

  beforeAll(async () => {
    first = await createKeyPair("RS256", "first");
    second = await createKeyPair("ES256", "second");
    third = await createKeyPair("ES256", "third");
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  type Opened = {
    readonly server: KeyServer;
    readonly clock: FakeClock;
    readonly keySet: KeySet;
    readonly outcomes: KeySetOutcome[];
    /** How many keys there are for this `kid`, or why that is not known. */
    find(kid: string | undefined, alg?: string): Promise<number | string>;
  };

  function open(over: Partial<KeySetOptions> = {}): Opened {
    const server = createKeyServer([first.jwk]);
    const clock = createFakeClock();
    const outcomes: KeySetOutcome[] = [];
    const options = {
      cooldownMs: 30_000,
      maxAgeMs: 600_000,
      timeoutMs: 5_000,
      maxBytes: 4096,
      keysMax: 3,
    };
    const keySet = createKeySet(
      { clock, onFetch: (outcome) => outcomes.push(outcome) },
      { url: server.url, ...options, ...over },
    );
    closing.push(
      () => keySet.close(),
      () => server.stop(),
    );
    const find = async (kid: string | undefined, alg = kid === "first" ? "RS256" : "ES256") => {
      try {
        return (await keySet.keysFor({ alg, ...(kid !== undefined && { kid }) })).length;
      } catch (error) {
        return error instanceof KeysUnavailable ? error.message : `unexpected: ${error}`;
      }
    };
    return { server, clock, keySet, outcomes, find };
  }

  test("many at once make one fetch, and known keys make none", async () => {
    const { server, clock, find } = open();
    const found = await Promise.all(Array.from({ length: 200 }, () => find("first")));
    expect(found.every((count) => count === 1)).toBe(true);
    expect(await find("first")).toBe(1);
    expect(server.requests).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test("a new key is accepted after at most the cooldown, and the old one ends then", async () => {
    const { server, clock, find } = open();
    await find("first");
    server.serve([second.jwk]);
    clock.advance(29_999);
    expect(await find("second")).toBe(0);
    clock.advance(1);
    expect(await find("second")).toBe(1);
    expect(await find("first")).toBe(0);
    expect(server.requests).toBe(2);
  });

  test("invented `kid`s make one fetch per cooldown", async () => {
    const { server, clock, find } = open();
    await find("first");
    for (let round = 1; round <= 3; round++) {
      clock.advance(30_000);
      const found = await Promise.all(Array.from({ length: 50 }, (_, i) => find(`invented-${i}`)));
      expect(found.every((count) => count === 0)).toBe(true);
      clock.advance(29_999);
      expect(await find("invented later")).toBe(0);
      expect(server.requests).toBe(1 + round);
    }
  });

  test("an old key set is fetched again in the background, with no one waiting", async () => {
    const { server, clock, outcomes, find } = open();
    await find("first");
    clock.advance(600_000);
    const { promise: held, resolve: release } = Promise.withResolvers<Response>();
    server.answer(() => held);
    expect(await find("first")).toBe(1);
    release(Response.json({ keys: [second.jwk] }));
    await until(() => outcomes.length === 2);
    expect(await find("second")).toBe(1);
    expect(await find("first")).toBe(0);
  });

  const outages: [string, KeySetOutcome, (server: KeyServer) => void | Promise<void>][] = [
    ["down", "network", (server) => server.stop()],
    [
      "answering 500",
      "status",
      (server) => server.answer(() => new Response("no", { status: 500 })),
    ],
    [
      "answering 404",
      "status",
      (server) => server.answer(() => new Response("no", { status: 404 })),
    ],
    ["serving HTML", "malformed", (server) => server.answer(() => new Response("<html>"))],
    ["serving no list", "malformed", (server) => server.answer(() => Response.json({ keys: {} }))],
    ["serving null", "malformed", (server) => server.answer(() => Response.json(null))],
    ["serving no keys", "malformed", (server) => server.serve([])],
    [
      "serving strings",
      "malformed",
      (server) => server.answer(() => Response.json({ keys: ["a"] })),
    ],
    ["serving too many", "too_many_keys", (server) => server.serve(Array(4).fill({ kty: "EC" }))],
    ["giant", "too_large", (server) => server.answer(() => new Response("x".repeat(4097)))],
    [
      "giant when unpacked",
      "too_large",
      (server) => server.answer(() => zipped("x".repeat(1_000_000))),
    ],
    ["endless", "too_large", (server) => server.answer(() => new Response(endless()))],
  ];

  test.each(outages)("known keys go on while the endpoint is %s", async (_, expected, breakIt) => {
    const { server, clock, outcomes, find } = open();
    await find("first");
    await breakIt(server);
    for (let round = 1; round <= 3; round++) {
      clock.advance(600_000);
      expect(await find("first")).toBe(1);
      await until(() => outcomes.length === 1 + round);
      expect(outcomes.at(-1)).toBe(expected);
      expect(await find("first")).toBe(1);
    }
  });

  test.each(outages)(
    "without keys nobody is let in while it is %s, and it heals",
    async (_, expected, breakIt) => {
      const { server, clock, find } = open();
      const { url } = server;
      await breakIt(server);
      expect(await find("first")).toBe(expected);
      const requests = server.requests;
      expect(await find("first")).toBe(expected);
      expect(server.requests).toBe(requests);
      // A stopped server's port is served again by another one.
      const healed = Bun.serve({
        port: expected === "network" ? new URL(url).port : 0,
        hostname: "127.0.0.1",
        fetch: () => Response.json({ keys: [first.jwk] }),
      });
      closing.push(() => healed.stop(true));
      if (expected !== "network") server.serve([first.jwk]);
      clock.advance(1_000);
      expect(await find("first")).toBe(1);
    },
  );

  test("an endpoint that never answers: known keys at once, unknown ones after the timeout", async () => {
    const { server, clock, outcomes, find } = open();
    await find("first");
    server.answer(() => new Promise<Response>(() => undefined));
    clock.advance(600_000);
    expect(await find("first")).toBe(1);
    const unknown = find("second");
    await until(() => server.requests === 2);
    expect(await find("first")).toBe(1);
    clock.advance(5_000);
    expect(await unknown).toBe("timeout");
    expect(outcomes).toEqual(["ok", "timeout"]);
    expect(clock.timers).toBe(0);
  });

  test("a body that stops half way is given up after the timeout", async () => {
    const { server, clock, find } = open();
    server.answer(() => new Response(half()));
    const waiting = find("first");
    await until(() => server.requests === 1);
    clock.advance(5_000);
    expect(await waiting).toBe("timeout");
  });

  test.each([301, 302, 303, 307, 308])(
    "request forgery: a redirect (%d) to an address inside is not followed",
    async (status) => {
      const inside = createKeyServer([first.jwk]);
      closing.push(() => inside.stop());
      const { server, find } = open();
      server.answer(() => new Response(null, { status, headers: { location: inside.url } }));
      expect(await find("first")).toBe("redirect");
      expect(inside.requests).toBe(0);
    },
  );

  test("a token without `kid` is offered every key of its kind", async () => {
    const { server, find } = open();
    server.serve([first.jwk, second.jwk, third.jwk]);
    expect(await find(undefined, "ES256")).toBe(2);
    expect(await find(undefined, "RS256")).toBe(1);
    expect(await find(undefined, "EdDSA")).toBe(0);
  });

  test("symmetric, private, small and broken keys of a set are not used", async () => {
    const { server, find } = open({ keysMax: 8 });
    server.serve([
      { kty: "oct", k: "AAAA", kid: "symmetric", alg: "HS256" },
      { kty: "EC", crv: "P-256", kid: "broken", x: "AAAA", y: "AAAA" },
      { ...second.jwk, kid: "private", d: "AAAA" },
      { ...second.jwk, kid: "encryption", use: "enc" },
      second.jwk,
    ]);
    expect(await find("symmetric", "HS256")).toBe(0);
    expect(await find("broken")).toBe(0);
    expect(await find("private")).toBe(0);
    expect(await find("encryption")).toBe(0);
    expect(await find("second", "RS256")).toBe(0);
    expect(await find("second")).toBe(1);
  });

  test("closing ends the fetch under way, and none is started after it", async () => {
    const { server, clock, keySet, outcomes, find } = open();
    server.answer(() => new Promise<Response>(() => undefined));
    const waiting = find("first");
    await until(() => server.requests === 1);
    keySet.close();
    expect(await waiting).toBe("network");
    clock.advance(60_000);
    expect(await find("first")).toBe("network");
    expect(server.requests).toBe(1);
    expect(outcomes).toEqual([]);
    expect(clock.timers).toBe(0);
  });
});

function zipped(text: string): Response {
  return new Response(gzipSync(text), { headers: { "content-encoding": "gzip" } });
}

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1024).fill(32)),
  });
}

function half(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('{"keys":[')),
  });
}
