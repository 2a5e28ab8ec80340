/** What must never be told: tokens, keys, e-mail addresses, names, messages (P7), and what names could do to a log (faults 31). */
import { describe, expect, test } from "bun:test";
import {
  connectTcp,
  eventually,
  RawClient,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";

const channel = "chat:lobby";
/** Every secret of this test holds it, whatever stands around it. */
const MARK = "zq7secret";
const SECRET_DATA = { text: `${MARK}-body`, nested: { card: `${MARK}-4111` } };

/** A gateway that logs all it ever logs, and whose pages throw what quotes their input. */
function startTalkative() {
  return startTestGateway({
    config: { log: { level: "debug" }, limits: { badFramesMax: 1_000 } },
    pages: (request, { pathname }) => {
      if (pathname === "/throws") throw new Error(`cannot serve "${request.url}"`);
      if (pathname === "/parses") return Response.json(JSON.parse(request.url));
      return undefined;
    },
  });
}

const claims = {
  sub: `${MARK}-user`,
  name: `${MARK}\n{"level":"error","msg":"forged"}`,
  email: `${MARK}@example.com`,
  picture: `https://example.com/${MARK}.png`,
};

async function useTokens(gateway: TestGateway): Promise<string[]> {
  const token = await gateway.token(claims);
  const bad = `${MARK}.${token}`;
  const ws = gateway.wsUrl;
  const opened = [
    await RawClient.connect(`${ws}?token=${token}`),
    await RawClient.connect(`${ws}/${token}`),
  ];
  for (const url of [`${ws}?token=${bad}`, `${ws}/${bad}`, `${ws}?session=${MARK}.${MARK}`]) {
    await (await RawClient.open(url)).closed;
  }
  await (await RawClient.open(ws, [`aldis.bearer.${MARK}`])).closed;
  const subprotocol = await RawClient.open(ws, [`aldis.bearer.${token}`]);
  await subprotocol.next("welcome");
  const first = await RawClient.open(ws);
  first.send("connect", { token });
  await first.next("welcome");
  await first.must("refresh", { token });
  await first.refused("refresh", { token: bad });
  const session = opened[0]?.welcome.session as string;
  const resumed = await RawClient.connect(`${ws}?token=${token}&session=${session}`);
  for (const client of [...opened.slice(1), subprotocol, first, resumed]) await client.close();
  return [token, token.split(".")[2] ?? "", session, gateway.apiKey];
}

async function useMessages(gateway: TestGateway): Promise<void> {
  const ann = await gateway.connect(claims);
  await ann.must("subscribe", { channel });
  await ann.must("publish", { channel, event: MARK, data: SECRET_DATA, idempotencyKey: MARK });
  await ann.must("presence", { channel, status: MARK, data: SECRET_DATA });
  await ann.must("send", { user: claims.sub, data: SECRET_DATA });
  await ann.must("typing", { channel, typing: true });
  await gateway.publish(channel, SECRET_DATA, { event: MARK });
  for (const frame of [
    `{"action":"publish","data":${MARK}`,
    MARK,
    `{"action":"${MARK}","id":1,"data":{"text":"${MARK}"}}`,
    `{"action":"publish","id":2,"data":{"channel":"no ${MARK}","data":"${MARK}"}}`,
    `{"action":"subscribe","id":3,"data":{"channel":"${MARK}:*x"}}`,
    `\u0000${MARK}`,
  ]) {
    ann.socket.send(frame);
  }
  ann.socket.send(new TextEncoder().encode(MARK));
  await ann.settle();
  ann.cut();
}

async function useHttp(gateway: TestGateway): Promise<void> {
  const headers = { authorization: `Bearer ${MARK}`, "x-request-id": `${MARK} not well formed` };
  const { url } = gateway;
  await fetch(`${url}/api/publish?key=${MARK}`, { method: "POST", headers, body: MARK });
  await fetch(`${url}/api/${MARK}`, { headers });
  await fetch(`${url}/metrics?key=${MARK}`, { headers });
  await fetch(`${url}/${MARK}?token=${MARK}`, { headers: { cookie: MARK, referer: MARK } });
  await fetch(`${url}/throws?token=${MARK}`);
  await fetch(`${url}/parses?token=${MARK}`);
  for (const body of [`{"channel":"${channel}","data":${MARK}`, MARK, `{"channel":"no ${MARK}"}`]) {
    await fetch(`${url}/api/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.apiKey}`, "content-type": "application/json" },
      body,
    });
  }
  await gateway.call("PUT", "/api/namespaces/chat", { [MARK]: MARK });
  const raw = await connectTcp(gateway.gateway.port);
  raw.write(`GET /${MARK} HTTP/1.1\r\nHost: ${MARK}\r\n\r\n`);
  await raw.until("an answer", (bytes) => bytes.includes("\r\n\r\n"));
  raw.close();
}

/** Faults of ours, in a command, in HTTP and in a socket callback, each with what a client sent in its message. */
async function provokeFaults(gateway: TestGateway): Promise<void> {
  const ann = await gateway.connect(claims);
  const { publisher } = gateway.gateway as unknown as { publisher: { publish: unknown } };
  const { publish } = publisher;
  publisher.publish = (request: { data: unknown }) => {
    const cause = Object.assign(new Error(`"${MARK}"`), { token: MARK, data: request.data });
    throw Object.assign(new Error(`cannot publish '${MARK}'`, { cause }), { email: claims.email });
  };
  expect((await ann.refused("publish", { channel, data: SECRET_DATA })).code).toBe("internal");
  const refused = await gateway.call("POST", "/api/publish", { channel, data: SECRET_DATA });
  expect(refused.status).toBe(500);
  publisher.publish = publish;
  await ann.close();
}

describe("P7: nothing secret or personal is logged or counted", () => {
  test("whatever clients, backends and faults bring", async () => {
    const gateway = await startTalkative();
    const secrets = [MARK, ...(await useTokens(gateway))];
    await useMessages(gateway);
    await useHttp(gateway);
    await provokeFaults(gateway);
    const { counters } = gateway.gateway;
    await eventually(
      "all are gone",
      () => counters.connectionsOpened === counters.connectionsClosed,
    );
    const metrics = await fetch(`${gateway.url}/metrics`, {
      headers: { authorization: `Bearer ${gateway.apiKey}` },
    });
    const text = await metrics.text();
    expect(text).toContain("aldis_faults_total 4");
    await gateway.gateway.close();

    const lines = gateway.logged.map((line) => JSON.parse(line));
    for (const message of ["connection opened", "session connected", "request", "command failed"]) {
      expect(lines.map(({ msg }) => msg)).toContain(message);
    }
    const shown = gateway.logged.join("") + text;
    for (const secret of secrets) expect(shown).not.toContain(secret);
    expect(shown).not.toContain("example.com");
    expect(shown).not.toContain("?token");
    // Each record is one line, and each line is a record.
    for (const line of gateway.logged) expect(line.trimEnd()).not.toContain("\n");
    expect(lines.some(({ msg }) => msg === "forged")).toBe(false);
  });

  test("a fault tells where it came from, and the id that its sender was answered with", async () => {
    await using gateway = await startTalkative();
    const answer = await fetch(`${gateway.url}/throws`, {
      headers: { "x-request-id": "abc-1.2:3" },
    });
    expect([answer.status, answer.headers.get("x-request-id")]).toEqual([500, "abc-1.2:3"]);
    const lines = gateway.logged.map((line) => JSON.parse(line));
    const fault = lines.find(({ msg }) => msg === "request failed");
    expect(fault).toMatchObject({ level: "error", requestId: "abc-1.2:3", err: { type: "Error" } });
    expect(fault.err.stack[0]).toContain("leaks.test.ts");
    const request = lines.find(({ msg }) => msg === "request");
    expect(request).toMatchObject({ requestId: "abc-1.2:3", route: "(other)", status: 500 });
  });

  test("request ids: well-formed ones are taken over, others and missing ones are made, each its own", async () => {
    await using gateway = await startTalkative();
    const idOf = async (given?: string) => {
      const headers: HeadersInit = given === undefined ? {} : { "x-request-id": given };
      return (await fetch(`${gateway.url}/health/live`, { headers })).headers.get("x-request-id");
    };
    expect(await idOf("x".repeat(64))).toBe("x".repeat(64));
    const made = await Promise.all([
      idOf(),
      idOf("x".repeat(65)),
      idOf("a b"),
      idOf('"x"'),
      idOf("é"),
    ]);
    for (const id of made) expect(id).toMatch(/^[\w-]+\.\w+$/);
    expect(new Set(made).size).toBe(made.length);
  });

  test("request ids: a publish that went well tells the one it was sent, a refused one always tells one", async () => {
    await using gateway = await startTestGateway();
    const publish = async (body: object, id?: string) => {
      const answer = await fetch(`${gateway.url}/api/publish`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${gateway.apiKey}`,
          "content-type": "application/json",
          ...(id !== undefined && { "x-request-id": id }),
        },
        body: JSON.stringify(body),
      });
      return [answer.status, answer.headers.get("x-request-id")];
    };
    expect(await publish({ channel, data: 1 })).toEqual([200, null]);
    expect(await publish({ channel, data: 1 }, "abc-1")).toEqual([200, "abc-1"]);
    expect(await publish({ channel, data: 1 }, "not well formed")).toEqual([
      200,
      expect.stringMatching(/^[\w-]+\.\w+$/),
    ]);
    expect(await publish({ channel })).toEqual([400, expect.stringMatching(/^[\w-]+\.\w+$/)]);
    expect(await publish({ channel }, "abc-2")).toEqual([400, "abc-2"]);
  });

  test("log.level info has no line for a connection, a command or a request", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    await gateway.publish(channel, 1);
    await ann.close();
    const messages = gateway.logged.map((line) => JSON.parse(line).msg);
    expect(messages).toEqual(["gateway is listening"]);
  });
});
