/** Webhooks over real HTTP: from a publication to a receiver, whatever the receiver does. */
import { expect, test } from "bun:test";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { eventually } from "@aldis/testkit";
import { type ReceiverServer, startReceiver } from "./receiver-server.ts";
import { addEndpoint, QUICK, startWithStore } from "./start-with-store.ts";

const numbersOf = (receiver: ReceiverServer) =>
  receiver.events.map(({ data }) => (data["data"] as { n: number }).n);

test("[WH7] what is published comes to the receiver, in order, with signatures that a library of others' verifies", async () => {
  await using receiver = startReceiver();
  await using gateway = await startWithStore();
  await addEndpoint(gateway, receiver, { headers: { "X-Route": "a" } });
  for (let n = 1; n <= 30; n++) await gateway.publish("chat:lobby", { n });
  await eventually("all of it", () => receiver.events.length >= 30);
  expect(numbersOf(receiver)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  expect(receiver.events.map(({ seq }) => seq)).toEqual(
    Array.from({ length: 30 }, (_, i) => i + 1),
  );
  expect(receiver.events[0]).toMatchObject({ type: "message.published", tenant: "default" });
  expect(receiver.wrong).toEqual([]);
});

test("[WH8] faults 12: slow answers, errors and broken connections are repeated until they are not", async () => {
  await using receiver = startReceiver();
  // Only the answer that never comes is to be late, however slow the machine is.
  const webhooks = { ...QUICK.webhooks, timeoutMs: 1_000 };
  await using gateway = await startWithStore({ ...QUICK, webhooks });
  await addEndpoint(gateway, receiver);
  const answers = [
    () => new Promise<Response>(() => {}),
    () => new Response("no", { status: 500 }),
    () => new Response("later", { status: 503, headers: { "retry-after": "0" } }),
  ];
  receiver.answer = () => answers.shift()?.() ?? new Response("ok");
  await gateway.publish("chat:lobby", { n: 1 });
  await eventually("the fourth attempt", () => receiver.got.length >= 4);
  expect(new Set(receiver.got.map(({ id, body }) => `${id} ${body}`)).size).toBe(1);
  await gateway.publish("chat:lobby", { n: 2 });
  await eventually("the next one", () => receiver.got.length >= 5);
  expect(numbersOf(receiver)).toEqual([1, 1, 1, 1, 2]);
});

test("[WH8] faults 12: a redirect is not followed (SSRF)", async () => {
  await using elsewhere = startReceiver();
  await using receiver = startReceiver();
  await using gateway = await startWithStore();
  const endpoint = await addEndpoint(gateway, receiver);
  receiver.answer = () => Response.redirect(elsewhere.url, 307);
  await gateway.publish("chat:lobby", { n: 1 });
  await eventually("three attempts", () => receiver.got.length >= 3);
  expect(elsewhere.got).toEqual([]);
  const path = `/api/webhooks/${endpoint}/deliveries`;
  const { body } = await gateway.call("GET", path);
  expect(body).toMatchObject({ backlog: 1, lastError: { status: 307 } });
});

test("[WH9] faults 12: an endpoint that answers 410 hears nothing more", async () => {
  await using receiver = startReceiver();
  await using gateway = await startWithStore();
  const endpoint = await addEndpoint(gateway, receiver);
  receiver.answer = () => new Response("gone", { status: 410 });
  await gateway.publish("chat:lobby", { n: 1 });
  const state = async () =>
    (await gateway.call("GET", `/api/webhooks/${endpoint}/deliveries`)).body;
  // The letter is there before its event is passed.
  await eventually("nothing waits for it", async () => {
    const { dead, backlog } = await state();
    return dead === 1 && backlog === 0;
  });
  expect(await state()).toMatchObject({ status: "disabled" });
  await gateway.publish("chat:lobby", { n: 2 });
  receiver.answer = () => new Response("ok");
  const base = `/api/webhooks/${endpoint}`;
  expect((await gateway.call("POST", `${base}/enable`)).status).toBe(200);
  expect((await gateway.call("POST", `${base}/dead/replay`, {})).body).toEqual({
    replayed: 1,
    more: false,
  });
  await eventually("it comes again", () => receiver.got.length === 2);
  expect(receiver.events.at(-1)).toMatchObject({ seq: 2, replayed: true });
});

test("[WH2] faults 12: private addresses are refused when an endpoint is added, and when it is sent to", async () => {
  await using receiver = startReceiver();
  await using gateway = await startWithStore({ webhooks: QUICK.webhooks, jobs: QUICK.jobs });
  for (const url of [receiver.url, "https://127.0.0.1/", "https://10.1.2.3/", "https://[::1]/"]) {
    const { status, body } = await gateway.call("POST", "/api/webhooks", { url });
    expect([url, status, body.error?.code]).toEqual([url, 400, "bad_request"]);
  }
  // A name says what it means only when it is asked.
  const url = "https://localhost.localdomain.example.invalid/";
  const { body } = await gateway.call("POST", "/api/webhooks", { url });
  await gateway.publish("chat:lobby", { n: 1 });
  const path = `/api/webhooks/${body.endpoint}/deliveries`;
  await eventually("a failed attempt", async () => {
    return (await gateway.call("GET", path)).body.failures > 0;
  });
  expect(receiver.got).toEqual([]);
});

test("[WH1] P2: without the scope, and for another tenant, there is nothing", async () => {
  await using gateway = await startWithStore({
    ...QUICK,
    api: {
      keys: [
        { key: "test-api-key-0123456789abcdef", scopes: ["*"] },
        { key: "key-of-another-tenant-0123456", tenant: "other", scopes: ["*"] },
        { key: "key-that-may-publish-012345678", scopes: ["publish"] },
      ],
    },
  });
  await using receiver = startReceiver();
  const endpoint = await addEndpoint(gateway, receiver);
  const other = "key-of-another-tenant-0123456";
  for (const [method, what] of [
    ["GET", ""],
    ["GET", "/secret"],
    ["GET", "/deliveries"],
    ["GET", "/dead"],
    ["POST", "/pause"],
    ["POST", "/dead/replay"],
  ] as const) {
    const path = (id: string) => `/api/webhooks/${id}${what}`;
    const body = method === "POST" ? {} : undefined;
    const theirs = await gateway.call(method, path(endpoint), body, other);
    const nobodys = await gateway.call(method, path("we_nobody"), body, other);
    expect([theirs.status, theirs.body]).toEqual([404, nobodys.body]);
  }
  const keyed = await gateway.call(
    "GET",
    "/api/webhooks",
    undefined,
    "key-that-may-publish-012345678",
  );
  expect(keyed.status).toBe(403);
});

test("attack [WH11] P3: a receiver that says 200 at once, and the rest never, holds one connection at a time", async () => {
  const sockets = new Set<Socket>();
  let most = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\nx"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await using gateway = await startWithStore();
  const body = { url: `http://127.0.0.1:${port}/`, types: ["message.published"] };
  const { body: added } = await gateway.call("POST", "/api/webhooks", body);
  const path = `/api/webhooks/${added.endpoint}/deliveries`;
  for (let n = 1; n <= 3; n++) {
    await gateway.publish("chat:lobby", { n });
    await eventually(
      "it to be taken",
      async () => (await gateway.call("GET", path)).body.cursor >= n,
    );
  }
  expect(most).toBe(1);
  server.close();
  for (const socket of sockets) socket.destroy();
});
