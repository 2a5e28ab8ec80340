import { describe, expect, test } from "bun:test";
import { connectTcp, RawClient, startTestGateway, type TestGateway } from "@aldis/testkit";

const channel = "chat:lobby";

function post(gateway: TestGateway, body: BodyInit, headers: Record<string, string> = {}) {
  return gateway.http("/api/publish", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

describe("protocol section 15: publishing over HTTP", () => {
  test("[HT1] answers the place in the stream, and subscribers get it", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const { epoch } = await ann.must("subscribe", { channel });
    const first = await gateway.call("POST", "/api/publish", { channel, event: "say", data: "hi" });
    expect(first).toEqual({ status: 200, body: { offset: 1, epoch } });
    expect((await ann.next("message")).data).toMatchObject({ offset: 1, event: "say", data: "hi" });
    const more = { channel, data: null, idempotencyKey: "k", version: 3 };
    expect((await gateway.call("POST", "/api/publish", more)).body).toEqual({ offset: 2, epoch });
    expect((await gateway.call("POST", "/api/publish", more)).body).toEqual({
      offset: 2,
      epoch,
      duplicate: true,
    });
    const old = { channel, data: 1, version: 3 };
    expect((await gateway.call("POST", "/api/publish", old)).body).toEqual({
      offset: 2,
      epoch,
      suppressed: true,
    });
  });

  test("[HT1] [ER1] a wrong field is refused with the error body of the WebSocket", async () => {
    await using gateway = await startTestGateway();
    const bad: [object, string][] = [
      [{ data: 1 }, "bad_request"],
      [{ channel }, "bad_request"],
      [{ channel: "no name", data: 1 }, "bad_channel"],
      [{ channel: "chat:*", data: 1 }, "bad_channel"],
      [{ channel, data: 1, event: "" }, "bad_request"],
      [{ channel, data: 1, version: -1 }, "bad_request"],
      [{ channel, data: 1, idempotencyKey: "x".repeat(129) }, "bad_request"],
    ];
    for (const [body, code] of bad) {
      const answer = await gateway.call("POST", "/api/publish", body);
      expect(answer.status).toBe(400);
      expect(Object.keys(answer.body)).toEqual(["error"]);
      expect(answer.body.error).toEqual({ code, message: expect.any(String), temporary: false });
    }
  });

  test("[HT1] no body at all will do where nothing has to be said, and nowhere else", async () => {
    await using gateway = await startTestGateway();
    const headers = { authorization: `Bearer ${gateway.apiKey}` };
    const send = async (path: string, more?: RequestInit) =>
      (await fetch(`${gateway.url}${path}`, { method: "POST", headers, ...more })).status;
    expect(await send("/api/users/ann/disconnect")).toBe(200);
    expect(await send("/api/users/ann/disconnect", { body: "reason" })).toBe(415);
    expect(await send("/api/users/ann/disconnect", { body: new Blob(["{"]) })).toBe(415);
    expect(await send("/api/publish")).toBe(415);
  });

  test("[HT1] a body that is no JSON object, of another type, or invalid UTF-8", async () => {
    await using gateway = await startTestGateway();
    const good = JSON.stringify({ channel, data: 1 });
    for (const body of ["", "{", "null", "[]", '"x"', `${good}x`, `[${good}]`]) {
      const answer = await post(gateway, body);
      expect([body, answer.status, answer.body.error.code]).toEqual([body, 400, "bad_request"]);
    }
    const invalid = Buffer.from(good.replace("1", '"x"'));
    invalid[invalid.indexOf("x")] = 0xff;
    expect((await post(gateway, invalid)).status).toBe(400);
    const deep = `{"channel":"${channel}","data":${"[".repeat(10_000)}${"]".repeat(10_000)}}`;
    expect((await post(gateway, deep)).body.error.code).toBe("bad_request");
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/jsonp",
      "",
    ]) {
      const answer = await post(gateway, good, { "content-type": type });
      expect([type, answer.status]).toEqual([type, 415]);
      expect(answer.body.error.code).toBe("unsupported_media");
    }
    for (const type of ["application/json; charset=utf-8", "Application/JSON"]) {
      expect((await post(gateway, good, { "content-type": type })).status).toBe(200);
    }
    expect(gateway.gateway.counters.publications).toBe(2);
    expect(gateway.gateway.counters.faults).toBe(0);
  });

  test("[HT1] a wrong or missing key is 401 whatever else is wrong, and never tells why (faults 29)", async () => {
    await using gateway = await startTestGateway();
    const key = gateway.apiKey;
    const wrong = [
      "",
      "Bearer",
      "Bearer ",
      `Basic ${key}`,
      key,
      `Bearer ${key}x`,
      `Bearer ${key.slice(0, -1)}`,
      `Bearer ${key.toUpperCase()}`,
      `Bearer ${"x".repeat(4_000)}`,
      `Bearer ${await gateway.token()}`,
    ];
    const bodies = new Set<string>();
    for (const authorization of wrong) {
      for (const body of [JSON.stringify({ channel, data: 1 }), "{", "\xff"]) {
        const answer = await post(gateway, body, { authorization, "content-type": "text/plain" });
        expect([authorization, answer.status]).toEqual([authorization, 401]);
        expect(answer.headers.get("www-authenticate")).toBe("Bearer");
        bodies.add(JSON.stringify(answer.body));
      }
      for (const path of ["/api/namespaces", "/api/nothing", "/api/"]) {
        const response = await fetch(gateway.url + path, { headers: { authorization } });
        expect(response.status).toBe(401);
        await response.text();
      }
    }
    expect(bodies.size).toBe(1);
    expect(gateway.gateway.counters.publications).toBe(0);
  });

  test("[HT1] a body over listen.bodyMaxBytes is 413, by its length and in chunks (faults 30)", async () => {
    await using gateway = await startTestGateway({ config: { listen: { bodyMaxBytes: 10_000 } } });
    const head = (extra: string) =>
      `POST /api/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.apiKey}\r\nContent-Type: application/json\r\n${extra}\r\n\r\n`;
    const chunk = `1000\r\n${"x".repeat(4_096)}\r\n`;
    for (const request of [
      head("Content-Length: 1000000000"),
      `${head("Transfer-Encoding: chunked")}${chunk.repeat(4)}0\r\n\r\n`,
    ]) {
      const tcp = await connectTcp(gateway.gateway.port);
      tcp.write(request);
      const answer = await tcp.until("an answer", (bytes) => bytes.includes("\r\n\r\n"));
      expect(answer.toString()).toStartWith("HTTP/1.1 413");
      tcp.close();
    }
    const answer = await post(gateway, JSON.stringify({ channel, data: "x".repeat(9_000) }));
    expect(answer.status).toBe(200);
  });

  test("[ER1] a 413 for the body has the error body too", async () => {
    await using gateway = await startTestGateway({ config: { listen: { bodyMaxBytes: 10_000 } } });
    const answer = await fetch(`${gateway.url}/api/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.apiKey}`, "content-type": "application/json" },
      body: "x".repeat(10_001),
    });
    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain('"code":"too_large"');
  });

  test("[HT1] without a key a body that is too large is 401 too", async () => {
    await using gateway = await startTestGateway({ config: { listen: { bodyMaxBytes: 10_000 } } });
    const answer = await post(gateway, "x".repeat(10_001), { authorization: "Bearer wrong" });
    expect([answer.status, answer.body.error.code]).toEqual([401, "unauthorized"]);
  });

  test("[HT4] other routes are not_found, other methods of a route method_not_allowed with `Allow`", async () => {
    await using gateway = await startTestGateway();
    for (const [method, path, allow] of [
      ["GET", "/api/publish", "POST"],
      ["PUT", "/api/publish", "POST"],
      ["OPTIONS", "/api/publish", "POST"],
      ["POST", "/api/namespaces", "GET"],
      ["POST", "/api/namespaces/chat", "PUT, DELETE"],
      ["POST", "/api/publish/", undefined],
      ["POST", "/api/Publish", undefined],
      ["POST", "/api//publish", undefined],
      ["POST", "/api/%70ublish", undefined],
      ["POST", "/api/publish%2f", undefined],
      ["POST", "/api/publish;x", undefined],
      ["GET", "/api/nothing", undefined],
      ["GET", "/api/", undefined],
    ] as const) {
      const { status, headers, body } = await rawRequest(gateway, method, path);
      const expected = allow === undefined ? [404, "not_found"] : [405, "method_not_allowed"];
      expect([method, path, status, body.error.code]).toEqual([method, path, ...expected]);
      expect(headers.get("allow")).toBe(allow ?? null);
    }
    for (const path of ["/nothing", "/health"]) {
      expect((await gateway.call("GET", path)).status).toBe(404);
    }
    expect(gateway.gateway.counters.publications).toBe(0);
  });
});

/** As it is written: `fetch` would bring the path into its normal form first. */
async function rawRequest(gateway: TestGateway, method: string, path: string) {
  const tcp = await connectTcp(gateway.gateway.port);
  const body = JSON.stringify({ channel, data: 1 });
  const head = `Host: x\r\nAuthorization: Bearer ${gateway.apiKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  tcp.write(`${method} ${path} HTTP/1.1\r\n${head}\r\n\r\n${body}`);
  const bytes = await tcp.until("an answer", (got) => /\}\}$/.test(got.toString()));
  tcp.close();
  const [first = "", rest = ""] = bytes.toString().split("\r\n\r\n");
  const [line = "", ...fields] = first.split("\r\n");
  const headers = new Headers(
    fields.map((field) => field.split(/: ?(.*)/s, 2) as [string, string]),
  );
  return { status: Number(line.split(" ")[1]), headers, body: JSON.parse(rest) };
}

describe("protocol section 15: namespaces", () => {
  const path = "/api/namespaces/chat";

  test("[HT2] GET lists what is in force, PUT replaces one, DELETE returns to what is configured", async () => {
    await using gateway = await startTestGateway({
      config: { namespaces: { chat: { lastOnSubscribe: 3, messageMaxBytes: 100 } } },
    });
    const chat = async () => {
      const { body } = await gateway.call("GET", "/api/namespaces");
      return body.namespaces.find(({ name }: { name: string }) => name === "chat");
    };
    const configured = await chat();
    expect(configured).toMatchObject({ lastOnSubscribe: 3, messageMaxBytes: 100 });
    const put = await gateway.call("PUT", path, { wildcard: true, history: { size: 7 } });
    expect(put.status).toBe(200);
    expect(put.body).toMatchObject({
      name: "chat",
      wildcard: true,
      lastOnSubscribe: 0,
      messageMaxBytes: 65_536,
      history: { size: 7, ttlMs: 600_000 },
    });
    expect(await chat()).toEqual(put.body);
    expect(await gateway.call("DELETE", path)).toEqual({ status: 200, body: { name: "chat" } });
    expect(await chat()).toEqual(configured);
    expect((await gateway.call("DELETE", path)).status).toBe(404);
    const { body } = await gateway.call("GET", "/api/namespaces");
    expect(body.namespaces.map(({ name }: { name: string }) => name)).toEqual(["chat", "default"]);
  });

  test("[HT2] unknown options, wrong values and bad names are refused and change nothing", async () => {
    await using gateway = await startTestGateway();
    const before = await gateway.call("GET", "/api/namespaces");
    const bad: [string, unknown][] = [
      [path, { colour: "red" }],
      [path, { history: { size: -1 } }],
      [path, { history: { size: 1e9 } }],
      [path, { presence: "yes" }],
      [path, { allow: { publish: ["everyone"] } }],
      [path, { allow: { publish: ["user:{userId}*"] } }],
      [path, []],
      ["/api/namespaces/a:b", {}],
      ["/api/namespaces/a%20b", {}],
      ["/api/namespaces/%00", {}],
      ["/api/namespaces/%E0%A4%A", {}],
      [`/api/namespaces/${"x".repeat(65)}`, {}],
    ];
    for (const [where, body] of bad) {
      const answer = await gateway.call("PUT", where, body);
      expect([where, body, answer.status]).toEqual([where, body, 400]);
      expect(answer.body.error.code).toBe("bad_request");
    }
    expect(await gateway.call("GET", "/api/namespaces")).toEqual(before);
    expect((await gateway.call("PUT", "/api/namespaces/__proto__", {})).status).toBe(200);
    expect((await gateway.call("POST", path, {})).status).toBe(405);
  });

  test("[HT2] changes hold at once, for existing subscriptions too", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const bob = await gateway.connect({ sub: "bob" });
    for (const client of [ann, bob]) await client.must("subscribe", { channel });
    const messages = async () => {
      await ann.settle();
      return ann.all.filter(({ action }) => action === "message").length;
    };
    await gateway.call("PUT", path, { excludeSender: true, messageMaxBytes: 5 });
    await ann.must("publish", { channel, data: 1 });
    expect(await messages()).toBe(0);
    expect((await ann.refused("publish", { channel, data: "long" })).code).toBe("too_large");
    await gateway.call("PUT", path, { presence: false });
    expect((await ann.refused("presence", { channel })).code).toBe("forbidden");
    await ann.must("publish", { channel, data: "long" });
    expect(await messages()).toBe(1);
    await gateway.call("PUT", path, { history: { size: 1 } });
    await gateway.publish(channel, 3);
    expect((await ann.must("history", { channel })).publications).toHaveLength(1);
    await gateway.call("DELETE", path);
    await gateway.publish(channel, 4);
    expect((await ann.must("history", { channel })).publications).toHaveLength(2);
  });

  test("[HT2] turning presence on counts who is subscribed already", async () => {
    const config = { namespaces: { chat: { presence: false } } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    await gateway.call("PUT", path, {});
    expect((await ann.must("presence", { channel })).count).toBe(1);
  });

  test("[HT2] [SU7] a right that `allow` no longer gives ends the subscriptions that it gave", async () => {
    const config = { namespaces: { chat: { allow: { subscribe: ["user"] } } } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect({ capabilities: {} });
    await ann.must("subscribe", { channel });
    await gateway.call("PUT", path, {});
    expect((await ann.refused("subscribe", { channel })).code).toBe("forbidden");
    await gateway.publish(channel, "no longer for ann");
    await ann.settle();
    const heard = ann.all.map(({ action }) => action);
    expect(heard).not.toContain("message");
    expect(heard).toContain("unsubscribe");
  });

  test("[AU8] anonymous users are let in from the moment that a namespace allows it", async () => {
    await using gateway = await startTestGateway();
    await gateway.call("PUT", path, { allow: { subscribe: ["anonymous"] } });
    const client = await RawClient.open(gateway.wsUrl);
    client.send("connect");
    await client.next("welcome");
    await client.must("subscribe", { channel });
    await gateway.call("DELETE", path);
    const late = await RawClient.open(gateway.wsUrl);
    late.send("connect");
    expect((await late.closed).code).toBe(4001);
  });
});

describe("protocol section 15: health", () => {
  test("[HT3] live and ready are 200 while it runs, without a key", async () => {
    await using gateway = await startTestGateway();
    for (const path of ["/health/live", "/health/ready"]) {
      expect((await fetch(gateway.url + path)).status).toBe(200);
    }
  });

  test("[HT3] to a check that speaks HTTP/1.0 without a Host too", async () => {
    await using gateway = await startTestGateway();
    const tcp = await connectTcp(gateway.gateway.port);
    tcp.write("GET /health/live HTTP/1.0\r\n\r\n");
    const answer = await tcp.until("an answer", (bytes) => bytes.includes("\r\n\r\n"));
    expect(answer.toString()).toMatch(/^HTTP\/1\.\d 200/);
    tcp.close();
  });
});
