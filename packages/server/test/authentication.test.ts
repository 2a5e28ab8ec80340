import { describe, expect, test } from "bun:test";
import {
  ALL_RIGHTS,
  createFakeClock,
  eventually,
  openRawSocket,
  RawClient,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** Opens a socket of which only the end is of interest. */
async function closeCodeOf(url: string, protocols?: string[]): Promise<number> {
  const socket = new WebSocket(url, protocols);
  return new Promise((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
}

function subprotocolOf(head: string): string | undefined {
  return /^sec-websocket-protocol: (.*)$/im.exec(head)?.[1];
}

describe("protocol section 2: the token's place", () => {
  test("[AU1] as ?token=, as /ws/<token>, as subprotocol, and in connect", async () => {
    await using gateway = await startTestGateway();
    const token = await gateway.token({ sub: "ann" });
    const inQuery = await RawClient.open(`${gateway.wsUrl}?token=${token}`);
    const inPath = await RawClient.open(`${gateway.wsUrl}/${token}`);
    const asProtocol = await RawClient.open(gateway.wsUrl, `aldis.bearer.${token}`);
    const inCommand = await RawClient.open(gateway.wsUrl);
    inCommand.send("connect", { token });
    for (const client of [inQuery, inPath, asProtocol, inCommand]) {
      expect((await client.next("welcome")).data.user.id).toBe("ann");
    }
  });

  test("[AU1] the first that is present counts: query, path, subprotocol, connect", async () => {
    await using gateway = await startTestGateway();
    const [query, path, protocol] = await Promise.all(
      ["query", "path", "protocol"].map((sub) => gateway.token({ sub })),
    );
    const bearer = `aldis.bearer.${protocol}`;
    const all = await RawClient.open(`${gateway.wsUrl}/${path}?token=${query}`, bearer);
    expect((await all.next("welcome")).data.user.id).toBe("query");
    const two = await RawClient.open(`${gateway.wsUrl}/${path}`, bearer);
    expect((await two.next("welcome")).data.user.id).toBe("path");
    const one = await RawClient.open(gateway.wsUrl, bearer);
    expect((await one.next("welcome")).data.user.id).toBe("protocol");
    expect((await one.refused("connect", { token: query })).code).toBe("bad_request");
  });

  test("[AU1] a bad token in the first place is not made good by a later place", async () => {
    await using gateway = await startTestGateway();
    const token = await gateway.token();
    expect(await closeCodeOf(`${gateway.wsUrl}/${token}?token=nonsense`)).toBe(4002);
  });

  test("[AU1] aldis.json beside the bearer is selected; the bearer alone is echoed", async () => {
    await using gateway = await startTestGateway();
    const { port } = gateway.gateway;
    const bearer = `aldis.bearer.${await gateway.token()}`;
    const offers: [string, string | undefined][] = [
      [bearer, bearer],
      [`${bearer}, aldis.json`, "aldis.json"],
      [`aldis.json,${bearer}`, "aldis.json"],
      ["aldis.json", "aldis.json"],
    ];
    for (const [offered, selected] of offers) {
      const raw = await openRawSocket(port, "/ws", [`Sec-WebSocket-Protocol: ${offered}`]);
      expect(subprotocolOf(raw.head)).toBe(selected as string);
      raw.cut();
    }
    const none = await openRawSocket(port, "/ws");
    expect(subprotocolOf(none.head)).toBeUndefined();
    none.cut();
  });
});

describe("protocol section 2: without credentials", () => {
  test("[AU2] closed with 4001 after auth.timeoutMs, and pings do not extend the time", async () => {
    const clock = createFakeClock();
    await using gateway = await startTestGateway({ clock, config: { auth: { timeoutMs: 5_000 } } });
    const client = await RawClient.open(gateway.wsUrl);
    await client.ask("ping");
    clock.advance(4_999);
    expect((await client.ask("ping")).action).toBe("pong");
    clock.advance(1);
    expect((await client.closed).code).toBe(4001);
  });

  test("[AU2] closed with 4001 for connect without a token, and for any other command first", async () => {
    await using gateway = await startTestGateway();
    const firsts = [
      '{"action":"connect"}',
      '{"action":"connect","id":1,"data":{"positions":{}}}',
      '{"action":"subscribe","id":1,"data":{"channel":"chat:lobby"}}',
      '{"action":"refresh","data":{"token":"x"}}',
      '{"action":"nonsense"}',
      "not JSON",
    ];
    for (const first of firsts) {
      const client = await RawClient.open(gateway.wsUrl);
      client.socket.send(first);
      expect([first, (await client.closed).code]).toEqual([first, 4001]);
    }
  });

  test("[AU2] nobody who is not in hears or does anything", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:lobby" });
    const stranger = await RawClient.open(gateway.wsUrl);
    stranger.send("publish", { channel: "chat:lobby", data: "hello" });
    expect((await stranger.closed).code).toBe(4001);
    await ann.settle();
    expect(stranger.all).toBeEmpty();
    expect(ann.frames.filter(({ action }) => action === "message")).toBeEmpty();
  });
});

describe("protocol section 2: refused tokens (faults 27)", () => {
  async function refusals(gateway: TestGateway): Promise<Record<string, string>> {
    const now = Math.floor(Date.now() / 1000);
    const good = await gateway.token();
    const [head = "", body = "", signature = ""] = good.split(".");
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString());
    return {
      "nothing like a token": "nonsense",
      "an empty one": "",
      "of another secret": `${head}.${body}.${signature.split("").reverse().join("")}`,
      "with changed claims": `${head}.${encode({ ...claims, sub: "root" })}.${signature}`,
      "alg none": `${encode({ alg: "none" })}.${body}.`,
      "another algorithm": `${encode({ alg: "HS512" })}.${body}.${signature}`,
      "expired by 61 s": await gateway.token({ exp: now - 61 }),
      "not yet valid": await gateway.token({ nbf: now + 3_600 }),
      "no sub": await gateway.token({ sub: undefined }),
      "a sub that is no string": await gateway.token({ sub: { id: "ann" } }),
      "an empty sub": await gateway.token({ sub: "" }),
      "a sub of an anonymous user": await gateway.token({ sub: "anon:abc" }),
      "a tenant that is no name": await gateway.token({ tenant: "../acme" }),
      "unreadable capabilities": await gateway.token({ capabilities: [1] }),
      "longer than any": `${head}.${body}.${"A".repeat(9_000)}`,
    };
  }

  test("[AU3] every cause closes with the same 4002 and reason, and is told to nobody", async () => {
    await using gateway = await startTestGateway({ config: { log: { level: "debug" } } });
    const bad = await refusals(gateway);
    for (const [name, token] of Object.entries(bad)) {
      const client = await RawClient.open(gateway.wsUrl);
      client.send("connect", { token: token === "" ? "." : token });
      const { code, reason } = await client.closed;
      expect([name, code, reason]).toEqual([name, 4002, "token refused or expired"]);
      expect(client.all).toBeEmpty();
    }
    const counted = Object.values(gateway.gateway.counters.tokensRefused);
    expect(counted.reduce((sum, n) => sum + n, 0)).toBe(Object.keys(bad).length);
    const log = gateway.logged.join("");
    for (const token of Object.values(bad)) if (token.length > 8) expect(log).not.toContain(token);
  });

  test("[AU3] a bad token closes with 4002 in each of its places", async () => {
    await using gateway = await startTestGateway();
    expect(await closeCodeOf(`${gateway.wsUrl}?token=a.b.c`)).toBe(4002);
    expect(await closeCodeOf(`${gateway.wsUrl}?token=`)).toBe(4002);
    expect(await closeCodeOf(`${gateway.wsUrl}/a.b.c`)).toBe(4002);
    expect(await closeCodeOf(gateway.wsUrl, ["aldis.bearer.a.b.c"])).toBe(4002);
  });

  test("an expiry within the clock skew is let in, and ends with the skew", async () => {
    const clock = createFakeClock();
    await using gateway = await startTestGateway({ clock });
    const exp = clock.nowMs() / 1000 - 30;
    const ann = await gateway.connect({ exp });
    await ann.settle();
    clock.advance(31_000);
    expect((await ann.closed).code).toBe(4002);
  });
});

describe("protocol section 2: while the token is judged", () => {
  /** A gateway that has to ask a key server, which answers when it is told to. */
  async function startWithHeldKeys() {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const keys = [{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" }];
    const asked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch() {
        asked.resolve();
        await release.promise;
        return Response.json({ keys });
      },
    });
    const gateway = await startTestGateway({
      config: { auth: { jwks: { url: `http://127.0.0.1:${server.port}/keys` } } },
    });
    const token = await new SignJWT({ sub: "ann", capabilities: ALL_RIGHTS })
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .setExpirationTime("1h")
      .sign(privateKey);
    return {
      gateway,
      token,
      asked: asked.promise,
      release: release.resolve,
      async [Symbol.asyncDispose]() {
        release.resolve();
        await gateway[Symbol.asyncDispose]();
        await server.stop(true);
      },
    };
  }

  test("[AU4] commands wait for the verdict and are handled in order afterwards", async () => {
    await using held = await startWithHeldKeys();
    const ann = await RawClient.open(held.gateway.wsUrl);
    ann.send("connect", { token: held.token }, "c");
    for (let i = 1; i < 64; i++) ann.send("publish", { channel: "chat:lobby", data: i }, i);
    ann.send("history", { channel: "chat:lobby" }, 64);
    await held.asked;
    const other = await held.gateway.connect({ sub: "bob" });
    await other.settle();
    expect(ann.all).toBeEmpty();
    held.release();
    await ann.wait((frame) => frame.id === 64);
    expect(ann.all.map(({ id, action }) => id ?? action)).toEqual([
      "welcome",
      "c",
      ...Array.from({ length: 64 }, (_, i) => i + 1),
    ]);
  });

  test("[AU4] the 65th that waits closes the connection", async () => {
    await using held = await startWithHeldKeys();
    const ann = await RawClient.open(`${held.gateway.wsUrl}?token=${held.token}`);
    await held.asked;
    for (let i = 0; i < 65; i++) ann.send("ping");
    expect((await ann.closed).code).toBe(4500);
    held.release();
  });

  test("[AU4] who is gone before the verdict leaves nothing behind", async () => {
    await using held = await startWithHeldKeys();
    const ann = await RawClient.open(`${held.gateway.wsUrl}?token=${held.token}`);
    ann.send("publish", { channel: "chat:lobby", data: "late" });
    await held.asked;
    ann.cut();
    await eventually("the gateway has seen it go", () => {
      const { connectionsClosed } = held.gateway.gateway.counters;
      return connectionsClosed === 1;
    });
    held.release();
    const bob = await held.gateway.connect({ sub: "bob" });
    const again = await RawClient.connect(`${held.gateway.wsUrl}?token=${held.token}`);
    await again.settle();
    expect(await bob.must("history", { channel: "chat:lobby" })).toMatchObject({ offset: 0 });
    expect(held.gateway.gateway.connections).toBe(2);
  });
});

describe("protocol section 2: keys that cannot be had", () => {
  test("[AU3] [AU6] is no refusal: 4007 for who connects, `unavailable` for who refreshes", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    const token = await new SignJWT({ sub: "ann", capabilities: ALL_RIGHTS })
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .setExpirationTime("1h")
      .sign(privateKey);
    const down = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("", { status: 500 }),
    });
    const url = `http://127.0.0.1:${down.port}/keys`;
    await using gateway = await startTestGateway({ config: { auth: { jwks: { url } } } });
    expect(await closeCodeOf(`${gateway.wsUrl}?token=${token}`)).toBe(4007);
    expect(gateway.gateway.counters.keySetFetches).toEqual({ status: 1 });
    const ann = await gateway.connect();
    const refusal = await ann.refused("refresh", { token });
    expect(refusal).toMatchObject({ code: "unavailable", temporary: true });
    await ann.must("subscribe", { channel: "chat:lobby" });
    await down.stop(true);
    expect(await closeCodeOf(`${gateway.wsUrl}?token=${token}`)).toBe(4007);
  });
});

describe("protocol section 2: welcome", () => {
  test("[AU5] it is the first frame and tells who and what one is", async () => {
    const config = {
      heartbeat: { pingIntervalMs: 7_000, idleTimeoutMs: 70_000 },
      listen: { frameMaxBytes: 12_345 },
    };
    await using gateway = await startTestGateway({ config });
    const exp = Math.floor(Date.now() / 1000) + 600;
    const ann = await gateway.connect({
      name: "Ann",
      email: "ann@example.com",
      picture: "https://example.com/ann.png",
      tenant: "acme",
      exp,
    });
    expect(ann.all[0]?.action).toBe("welcome");
    expect(ann.welcome).toEqual({
      protocol: 1,
      connection: expect.any(String),
      session: expect.stringMatching(/^[\w-]+\.[\w-]{40,}$/),
      resumed: false,
      user: {
        id: "ann",
        name: "Ann",
        email: "ann@example.com",
        avatar: "https://example.com/ann.png",
      },
      tenant: "acme",
      expiresAt: exp * 1000,
      pingIntervalMs: 7_000,
      idleTimeoutMs: 70_000,
      frameMaxBytes: 12_345,
    });
    expect(ann.welcome.session.length).toBeLessThanOrEqual(128);
    expect(ann.welcome.connection.length).toBeLessThanOrEqual(64);
  });

  test("[AU5] without an end, a name or a tenant in the token none is told, or the default", async () => {
    await using gateway = await startTestGateway();
    const { welcome } = await gateway.connect({ exp: undefined });
    expect(welcome).not.toHaveProperty("expiresAt");
    expect(welcome).not.toHaveProperty("channels");
    expect(welcome).toMatchObject({ user: { id: "ann" }, tenant: "default" });
  });

  test("[AU5] a connect with an id gets its reply right after it", async () => {
    await using gateway = await startTestGateway();
    const ann = await RawClient.open(gateway.wsUrl);
    const reply = await ann.ask("connect", { token: await gateway.token() });
    expect(ann.all.map(({ action }) => action)).toEqual(["welcome", "connect"]);
    expect(reply.data).toEqual({ connection: ann.all[0]?.data.connection });
  });
});

describe("protocol section 2: the end of a token", () => {
  async function startWithClock() {
    const clock = createFakeClock();
    const gateway = await startTestGateway({
      clock,
      config: { auth: { refreshBeforeMs: 30_000 }, heartbeat: { idleTimeoutMs: 3_600_000 } },
    });
    const inSeconds = (seconds: number) => clock.nowMs() / 1000 + seconds;
    return { clock, gateway, inSeconds, [Symbol.asyncDispose]: gateway[Symbol.asyncDispose] };
  }

  test("[AU6] a refresh push comes refreshBeforeMs before the end, once", async () => {
    await using t = await startWithClock();
    const ann = await t.gateway.connect({ exp: t.inSeconds(100) });
    t.clock.advance(69_999);
    await ann.settle();
    expect(ann.frames).toBeEmpty();
    t.clock.advance(1);
    expect((await ann.next("refresh")).data).toEqual({ expiresInMs: 30_000 });
    t.clock.advance(29_000);
    await ann.settle();
    expect(ann.frames).toBeEmpty();
  });

  test("[AU6] a token that ends within that time is told at once", async () => {
    await using t = await startWithClock();
    const ann = await t.gateway.connect({ exp: t.inSeconds(10) });
    t.clock.advance(0);
    expect((await ann.next("refresh")).data.expiresInMs).toBeLessThanOrEqual(10_000);
  });

  test("[AU6] a new token prolongs the connection, and asks again before its own end", async () => {
    await using t = await startWithClock();
    const ann = await t.gateway.connect({ exp: t.inSeconds(100) });
    t.clock.advance(80_000);
    await ann.next("refresh");
    const exp = t.inSeconds(200);
    const token = await t.gateway.token({ exp });
    expect(await ann.must("refresh", { token })).toEqual({ expiresAt: exp * 1000 });
    t.clock.advance(169_999);
    await ann.settle();
    expect(ann.frames).toBeEmpty();
    t.clock.advance(1);
    await ann.next("refresh");
    t.clock.advance(30_000);
    expect((await ann.closed).code).toBe(4002);
  });

  test("[AU6] a token without an end ends the asking", async () => {
    await using t = await startWithClock();
    const ann = await t.gateway.connect({ exp: t.inSeconds(100) });
    expect(await ann.must("refresh", { token: await t.gateway.token({ exp: undefined }) })).toEqual(
      {},
    );
    t.clock.advance(1_000_000);
    await ann.settle();
    expect(ann.frames).toBeEmpty();
  });

  test("[AU6] another user's, another tenant's and a bad token are unauthorized, and the old one goes on", async () => {
    await using t = await startWithClock();
    const ann = await t.gateway.connect({ exp: t.inSeconds(100) });
    await ann.must("subscribe", { channel: "chat:lobby" });
    for (const token of [
      await t.gateway.token({ sub: "bob" }),
      await t.gateway.token({ tenant: "acme" }),
      await t.gateway.token({ exp: t.inSeconds(-100) }),
      "nonsense",
    ]) {
      expect((await ann.refused("refresh", { token })).code).toBe("unauthorized");
    }
    expect((await ann.refused("refresh", {})).code).toBe("bad_request");
    await t.gateway.publish("chat:lobby", "still here");
    expect((await ann.next("message")).data.data).toBe("still here");
    t.clock.advance(100_000);
    expect((await ann.closed).code).toBe(4002);
  });

  test("[AU6] subscriptions that the new token no longer allows end with an unsubscribe push", async () => {
    const config = { namespaces: { news: { wildcard: true } } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    for (const channel of ["chat:a", "chat:b", "news:*"]) await ann.must("subscribe", { channel });
    const token = await gateway.token({ capabilities: { "chat:a": ["subscribe"] } });
    await ann.must("refresh", { token });
    const ended = [(await ann.next("unsubscribe")).data, (await ann.next("unsubscribe")).data];
    expect(ended).toEqual([
      { channel: "chat:b", code: "forbidden" },
      { channel: "news:*", code: "forbidden" },
    ]);
    for (const channel of ["chat:a", "chat:b", "news:x"]) await gateway.publish(channel, channel);
    await ann.settle();
    const messages = ann.frames.filter(({ action }) => action === "message");
    expect(messages.map(({ data }) => data.channel)).toEqual(["chat:a"]);
  });

  test("[AU7] when the token ends and no new one came, the connection is closed with 4002", async () => {
    await using t = await startWithClock();
    const ann = await t.gateway.connect({ exp: t.inSeconds(100) });
    t.clock.advance(99_999);
    await ann.settle();
    t.clock.advance(1);
    expect((await ann.closed).code).toBe(4002);
  });

  test("[AU7] setting the wall clock back prolongs, setting it forward does not end anything too soon", async () => {
    await using t = await startWithClock();
    const exp = t.inSeconds(100);
    const ann = await t.gateway.connect({ exp });
    t.clock.setWallClock(t.clock.nowMs() - 50_000);
    t.clock.advance(100_000);
    await ann.settle();
    expect(ann.frames.map(({ action }) => action)).not.toContain("close");
    t.clock.advance(50_000);
    expect((await ann.closed).code).toBe(4002);
  });
});

describe("protocol section 2: anonymous", () => {
  const namespaces = { open: { allow: { subscribe: ["anonymous"], history: ["anonymous"] } } };

  test("[AU8] let in where a namespace allows it, by connect without a token, as a fresh anon: user", async () => {
    await using gateway = await startTestGateway({ config: { namespaces } });
    const ids = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const client = await RawClient.open(gateway.wsUrl);
      client.send("connect");
      const { data } = await client.next("welcome");
      expect(data.user).toEqual({ id: expect.stringMatching(/^anon:./), anonymous: true });
      ids.add(data.user.id);
      await client.must("subscribe", { channel: "open:door" });
      expect((await client.refused("subscribe", { channel: "chat:lobby" })).code).toBe("forbidden");
      expect((await client.refused("publish", { channel: "open:door", data: 1 })).code).toBe(
        "forbidden",
      );
      expect((await client.refused("send", { user: "ann", data: 1 })).code).toBe("forbidden");
    }
    expect(ids.size).toBe(3);
  });

  test("[AU8] without such a namespace it is 4001, and with a bad token always 4002", async () => {
    await using gateway = await startTestGateway();
    const refused = await RawClient.open(gateway.wsUrl);
    refused.send("connect");
    expect((await refused.closed).code).toBe(4001);
    await using open = await startTestGateway({ config: { namespaces } });
    expect(await closeCodeOf(`${open.wsUrl}?token=a.b.c`)).toBe(4002);
    const silent = await RawClient.open(open.wsUrl);
    silent.send("subscribe", { channel: "open:door" });
    expect((await silent.closed).code).toBe(4001);
  });

  test("[AU8] no token can carry such a user id", async () => {
    await using gateway = await startTestGateway({ config: { namespaces } });
    const token = await gateway.token({ sub: "anon:me" });
    expect(await closeCodeOf(`${gateway.wsUrl}?token=${token}`)).toBe(4002);
  });
});
