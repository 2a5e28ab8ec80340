/** What a backend answers the gateway, with requests as the gateway signs them. */
import { expect, spyOn, test } from "bun:test";
import { AldisError, createBackendHandler, type GatewayAnswers, RpcError } from "../src/index.ts";
import { GATEWAY_SECRET, signedRequest } from "./support/signed.ts";

const URL = "http://backend/aldis";

function handler(more: Partial<GatewayAnswers> = {}) {
  const faults: unknown[] = [];
  const onError = (error: unknown) => void faults.push(error);
  const handle = createBackendHandler({ secret: GATEWAY_SECRET, onError, ...more });
  const ask = async (body: unknown) => {
    const response = await handle(signedRequest(URL, body));
    const text = await response.text();
    return [response.status, text === "" ? undefined : JSON.parse(text)];
  };
  return { handle, ask, faults };
}

const call = (fields: object) => ({ tenant: "default", user: { id: "ann" }, ...fields });

test("an rpc is done by the method of its name", async () => {
  const { ask } = handler({
    rpc: { twice: (n, { user }) => [user.id, Number(n) * 2], silent() {} },
  });
  expect(await ask(call({ type: "rpc", method: "twice", data: 4 }))).toEqual([
    200,
    { result: ["ann", 8] },
  ]);
  expect(await ask(call({ type: "rpc", method: "silent", data: 4 }))).toEqual([
    200,
    { result: null },
  ]);
});

test("without `onError` a fault is on the console", async () => {
  const shown = spyOn(console, "error").mockImplementation(() => {});
  const fault = new Error("a bug");
  const throwing = () => Promise.reject(fault);
  const handle = createBackendHandler({ secret: GATEWAY_SECRET, rpc: { throwing } });
  try {
    const asked = call({ type: "rpc", method: "throwing" });
    expect((await handle(signedRequest(URL, asked))).status).toBe(500);
    expect(shown.mock.calls).toEqual([[fault]]);
  } finally {
    shown.mockRestore();
  }
});

test("attack: what every object has is no method", async () => {
  const { ask } = handler({ rpc: {} });
  for (const method of ["constructor", "toString", "__proto__", "hasOwnProperty", "none"]) {
    const [status, body] = await ask(call({ type: "rpc", method, data: 1 }));
    expect([method, status, body.error.code]).toEqual([method, 200, "not_found"]);
  }
});

test("a refusal reaches the client, a fault only the log", async () => {
  const { ask, faults } = handler({
    rpc: {
      refuse() {
        throw new RpcError("sold_out", "none left", { next: "May" });
      },
      async fault() {
        throw new Error("the password is 1234");
      },
    },
  });
  expect(await ask(call({ type: "rpc", method: "refuse" }))).toEqual([
    200,
    { error: { code: "sold_out", message: "none left", data: { next: "May" } } },
  ]);
  expect(await ask(call({ type: "rpc", method: "fault" }))).toEqual([500, undefined]);
  expect(faults).toMatchObject([{ message: "the password is 1234" }]);
});

test("who may subscribe and publish is asked; unless somebody says so nobody may", async () => {
  const { ask } = handler({
    subscribe: ({ channel }) => channel === "a",
    publish: async ({ data }) => data === 1,
  });
  const subscribe = (channel: string) => ask(call({ type: "subscribe", channel }));
  const publish = (data: unknown) => ask(call({ type: "publish", channel: "a", data }));
  expect(await subscribe("a")).toEqual([200, { allow: true }]);
  expect(await subscribe("b")).toEqual([200, { allow: false }]);
  expect(await publish(1)).toEqual([200, { allow: true }]);
  expect(await publish(2)).toEqual([200, { allow: false }]);
  const silent = handler();
  for (const type of ["subscribe", "publish"]) {
    expect(await silent.ask(call({ type, channel: "a" }))).toEqual([200, { allow: false }]);
  }
});

test("a permission may last, be refused in words, and change what is published", async () => {
  const { ask } = handler({
    subscribe: ({ channel }) =>
      channel === "a" ? { allow: true, cacheMs: 60_000 } : { allow: false, message: "not yet" },
    publish: async ({ data }) => ({ allow: true, event: "said", data: String(data) }),
  });
  expect(await ask(call({ type: "subscribe", channel: "a" }))).toEqual([
    200,
    { allow: true, cacheMs: 60_000 },
  ]);
  expect(await ask(call({ type: "subscribe", channel: "b" }))).toEqual([
    200,
    { allow: false, message: "not yet" },
  ]);
  expect(await ask(call({ type: "publish", channel: "a", data: 1 }))).toEqual([
    200,
    { allow: true, event: "said", data: "1" },
  ]);
});

test("events come one after the other; a fault has the request come again", async () => {
  const seen: string[] = [];
  const { ask } = handler({
    async webhook({ id }, { endpoint }) {
      await Promise.resolve();
      seen.push(`${endpoint} ${id}`);
      if (id === "bad") throw new Error("not today");
    },
  });
  const events = ["1", "2"].map((id) => ({ id, seq: 1, type: "webhook.test", data: {} }));
  expect(await ask({ endpoint: "e", events })).toEqual([204, undefined]);
  expect(seen).toEqual(["e 1", "e 2"]);
  expect(await ask({ endpoint: "e", events: [{ id: "bad" }] })).toEqual([500, undefined]);
});

test("what is wrong here is no reason for the gateway to give an event up", async () => {
  const event = { endpoint: "e", events: [{ id: "1", seq: 1, type: "webhook.test" }] };
  for (const secret of [[], "", ["whsec_?"]]) {
    const { ask, faults } = handler({ secret });
    expect([secret, await ask(event)]).toEqual([secret, [500, undefined]]);
    expect(faults).toHaveLength(1);
  }
  const refused = () => Promise.reject(new AldisError("bad_request", "no such channel"));
  expect(await handler({ webhook: refused }).ask(event)).toEqual([500, undefined]);
});

test("attack: what is not signed, is no POST, or is too long", async () => {
  const { handle, ask } = handler({ bodyMaxBytes: 1_000 });
  const forged = signedRequest(URL, "{}", { secret: `whsec_${btoa("somebody else, of course")}` });
  expect((await handle(forged)).status).toBe(401);
  expect((await handle(new Request(URL, { method: "POST", body: "{}" }))).status).toBe(401);
  expect((await handle(new Request(URL))).status).toBe(405);
  expect(await ask("x".repeat(1_001))).toEqual([413, undefined]);
  let sent = 0;
  const endless = new ReadableStream({
    pull(controller) {
      sent += 500;
      controller.enqueue(new Uint8Array(500));
    },
  });
  expect((await handle(new Request(URL, { method: "POST", body: endless }))).status).toBe(413);
  expect(sent).toBeLessThan(5_000);
  expect(await ask({ type: "other" })).toEqual([400, undefined]);
  expect(await ask("no json")).toEqual([400, undefined]);
});
