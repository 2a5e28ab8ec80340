import { describe, expect, test } from "bun:test";
import {
  createFakeClock,
  eventually,
  openRawSocket,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";

/** The answer to an upgrade: its status, and what a refusal says. */
async function upgrade(gateway: TestGateway, headers: string[] = []) {
  const path = `/ws?token=${await gateway.token()}`;
  const raw = await openRawSocket(gateway.gateway.port, path, headers);
  const retryAfter = /^retry-after: (\d+)/im.exec(raw.head)?.[1];
  return { raw, status: Number(raw.head.split(" ")[1]), retryAfterS: Number(retryAfter) };
}

async function statuses(gateway: TestGateway, forwardedFor: readonly string[]) {
  const answers: number[] = [];
  for (const value of forwardedFor) {
    answers.push((await upgrade(gateway, [`X-Forwarded-For: ${value}`])).status);
  }
  return answers;
}

describe("[LI1] connections of a node", () => {
  test("the last place is given, the next upgrade is 503, and a place that becomes free is given again", async () => {
    await using gateway = await startTestGateway({ config: { limits: { connectionsPerNode: 3 } } });
    const opened = await Promise.all([1, 2, 3].map(() => gateway.connect()));
    const refused = await upgrade(gateway);
    expect(refused).toMatchObject({ status: 503, retryAfterS: 5 });
    expect(gateway.gateway.counters.upgradesRefused["node_full"]).toBe(1);
    await opened[1]?.close();
    await eventually("the place is free", () => gateway.gateway.connections === 2);
    await gateway.connect();
    expect((await upgrade(gateway)).status).toBe(503);
    for (const each of [opened[0], opened[2]]) await each?.settle();
  });

  test("upgrades in one moment get no more places than there are", async () => {
    await using gateway = await startTestGateway({ config: { limits: { connectionsPerNode: 5 } } });
    const answers = await Promise.all(Array.from({ length: 40 }, () => upgrade(gateway)));
    const let_in = answers.filter(({ status }) => status === 101);
    expect(let_in.length).toBe(5);
    expect(gateway.gateway.counters.upgradesRefused["node_full"]).toBe(35);
  });

  test("why upgrades are refused is in the log, a line at once and not one each", async () => {
    await using gateway = await startTestGateway({ config: { limits: { connectionsPerNode: 1 } } });
    const only = await gateway.connect();
    for (let n = 0; n < 9; n++) await upgrade(gateway);
    const lines = () => gateway.logged.filter((line) => line.includes("node_full"));
    expect(lines().map((line) => JSON.parse(line).msg)).toEqual(["connection turned away"]);
    await only.settle();
  });

  test("the refusal has the form of every error, and health still answers", async () => {
    await using gateway = await startTestGateway({ config: { limits: { connectionsPerNode: 1 } } });
    await gateway.connect();
    const response = await fetch(`${gateway.url}/ws`);
    expect(response.status).toBe(503);
    const { error } = (await response.json()) as { error: object };
    expect(error).toMatchObject({ code: "unavailable", temporary: true, retryAfterMs: 5_000 });
    expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
  });
});

describe("[LI2] connection attempts of an address", () => {
  test("the last one is let in, the next is 429 and told how long to wait, and then is let in", async () => {
    const clock = createFakeClock();
    const config = { limits: { connectionAttemptsPerMinute: 4 } };
    await using gateway = await startTestGateway({ clock, config });
    for (let n = 0; n < 4; n++) expect((await upgrade(gateway)).status).toBe(101);
    expect(await upgrade(gateway)).toMatchObject({ status: 429, retryAfterS: 15 });
    const response = await fetch(`${gateway.url}/ws`);
    const { error } = (await response.json()) as { error: object };
    expect(error).toMatchObject({ code: "rate_limited", temporary: true, retryAfterMs: 15_000 });
    expect(gateway.gateway.counters.rateLimited["attempts"]).toBe(2);
    clock.advance(14_999);
    expect((await upgrade(gateway)).status).toBe(429);
    clock.advance(1);
    expect((await upgrade(gateway)).status).toBe(101);
    expect((await upgrade(gateway)).status).toBe(429);
  });

  test.each([
    ["no proxy is trusted", [], true],
    ["it is trusted", ["127.0.0.1"], false],
  ] as const)(
    "an address is refused behind a proxy: %s; the log warns when none is",
    async (_, trusted, told) => {
      const config = {
        listen: { trustedProxies: [...trusted] },
        limits: { connectionAttemptsPerMinute: 1 },
      };
      await using gateway = await startTestGateway({ config });
      expect(await statuses(gateway, ["203.0.113.1", "203.0.113.1"])).toEqual([101, 429]);
      expect(gateway.logged.some((line) => line.includes("listen.trustedProxies"))).toBe(told);
    },
  );

  test("attempts count whatever becomes of them, and HTTP is no attempt", async () => {
    const config = { limits: { connectionAttemptsPerMinute: 3 } };
    await using gateway = await startTestGateway({ config });
    for (let n = 0; n < 9; n++) await gateway.publish("chat:lobby", n);
    await openRawSocket(gateway.gateway.port, "/ws?token=nonsense");
    await openRawSocket(gateway.gateway.port, "/ws", ["Origin: https://evil.example"]);
    await fetch(`${gateway.url}/ws/nonsense`);
    expect((await upgrade(gateway)).status).toBe(429);
  });

  test("the echo endpoint is no way around", async () => {
    const config = { listen: { echo: true }, limits: { connectionAttemptsPerMinute: 1 } };
    await using gateway = await startTestGateway({ config });
    const heads = [1, 2].map(async () => (await openRawSocket(gateway.gateway.port, "/echo")).head);
    const answers = (await Promise.all(heads)).map((head) => head.split(" ")[1]);
    expect(answers.sort()).toEqual(["101", "429"]);
  });

  test("a client's own X-Forwarded-For makes it nobody else", async () => {
    const config = { limits: { connectionAttemptsPerMinute: 2 } };
    await using gateway = await startTestGateway({ config });
    expect(await statuses(gateway, ["1.1.1.1", "2.2.2.2", "3.3.3.3"])).toEqual([101, 101, 429]);
  });

  test("behind a trusted proxy each client counts alone, by what the proxy added", async () => {
    const listen = { trustedProxies: ["127.0.0.0/8"] };
    const config = { listen, limits: { connectionAttemptsPerMinute: 2 } };
    await using gateway = await startTestGateway({ config });
    const forged = ["9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1", "7.7.7.7, 1.1.1.1"];
    expect(await statuses(gateway, forged)).toEqual([101, 101, 429]);
    expect(await statuses(gateway, ["2.2.2.2", "1.1.1.1"])).toEqual([101, 429]);
    const one64 = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"];
    expect(await statuses(gateway, one64)).toEqual([101, 101, 429, 101]);
    expect(await statuses(gateway, ["::ffff:2.2.2.2", "2.2.2.2"])).toEqual([101, 429]);
  });

  test("faults 17: ten thousand addresses at once are remembered within the bound", async () => {
    const listen = { trustedProxies: ["127.0.0.1"] };
    const limits = { connectionAttemptsPerMinute: 1, addressesMax: 100 };
    await using gateway = await startTestGateway({ config: { listen, limits } });
    const attempt = (address: string) =>
      fetch(`${gateway.url}/ws`, { headers: { "x-forwarded-for": address } });
    for (let n = 0; n < 400; n++) await attempt(`10.0.${n >> 8}.${n & 255}`);
    expect(gateway.gateway.counters.bucketsForgotten).toBeGreaterThanOrEqual(250);
    expect((await attempt("10.0.1.143")).status).toBe(429);
  });
});

describe("[LI3] faults 29: guesses of API keys", () => {
  test("beyond the limit a guess is 429 without being judged, a key in use goes on", async () => {
    const clock = createFakeClock();
    const config = { limits: { keyGuessesPerMinute: 3 } };
    await using gateway = await startTestGateway({ clock, config });
    const guess = (key: string) => gateway.call("GET", "/api/namespaces", undefined, key);
    await gateway.publish("chat:lobby", 1);
    for (let n = 0; n < 3; n++) expect((await guess(`guess-${n}`)).status).toBe(401);
    const refused = await guess("guess-4");
    expect(refused.status).toBe(429);
    expect(refused.body.error).toMatchObject({ code: "rate_limited", retryAfterMs: 20_000 });
    await gateway.publish("chat:lobby", 2);
    expect(gateway.gateway.counters.rateLimited["key_guesses"]).toBe(1);
    clock.advance(20_000);
    expect((await guess("guess-5")).status).toBe(401);
    expect((await guess("guess-6")).status).toBe(429);
  });

  test("`/metrics` is no way to guess on", async () => {
    const config = { limits: { keyGuessesPerMinute: 2 } };
    await using gateway = await startTestGateway({ config });
    const guess = async (key: string) => {
      const headers = { authorization: `Bearer ${key}` };
      return (await fetch(`${gateway.url}/metrics`, { headers })).status;
    };
    expect([await guess("guess-1"), await guess("guess-2")]).toEqual([401, 401]);
    expect([await guess("guess-3"), await guess(gateway.apiKey)]).toEqual([429, 429]);
  });

  test("a right key that comes too late is not told from a wrong one", async () => {
    const config = { limits: { keyGuessesPerMinute: 2 } };
    await using gateway = await startTestGateway({ config });
    const guess = (key: string) => gateway.call("GET", "/api/namespaces", undefined, key);
    for (let n = 0; n < 2; n++) await guess(`guess-${n}`);
    const [wrong, right] = [await guess("guess-9"), await guess(gateway.apiKey)];
    expect([wrong.status, right.status]).toEqual([429, 429]);
    expect(wrong.body.error.code).toBe(right.body.error.code);
  });
});
