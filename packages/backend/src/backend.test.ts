import { expect, test } from "bun:test";
import { createBackend } from "./backend.ts";
import type { BackendOptions, Fetch } from "./options.ts";

type Sent = { url: string; init: RequestInit };

function recording(answer: () => Response = () => Response.json({ offset: 1, epoch: "e" })) {
  const sent: Sent[] = [];
  const fetch: Fetch = async (url, init) => {
    sent.push({ url, init });
    return answer();
  };
  return { sent, fetch };
}

const OPTIONS = { url: "https://example.com", apiKey: "key" };
const DENO = { userAgent: "Deno/2.9.6" };
const headersOf = ({ init }: Sent | { init: RequestInit }) => new Headers(init.headers);
const codeOf = (promise: Promise<unknown>) =>
  promise.catch((error: { code: string }) => error.code);

test("the key goes with each request, and the tenant when one is acted for", async () => {
  const { sent, fetch } = recording();
  const backend = createBackend({ ...OPTIONS, fetch });
  await backend.publish("a", 1);
  await backend.forTenant("acme").publish("a", 1);
  await createBackend({ ...OPTIONS, tenant: "beta", fetch }).publish("a", 1);
  await backend.publish("a", 1);
  expect(sent.map((one) => headersOf(one).get("aldis-tenant"))).toEqual([
    null,
    "acme",
    "beta",
    null,
  ]);
  for (const one of sent) expect(headersOf(one).get("authorization")).toBe("Bearer key");
});

test("P4: under Deno, which repeats what has another body, what must not arrive twice goes as a stream", async () => {
  const { sent, fetch } = recording(() => Response.json({ delivered: 0 }));
  const backend = createBackend({ ...OPTIONS, fetch });
  const send = () => backend.users.send("ann", { text: "é" });
  const own = Object.getOwnPropertyDescriptor(globalThis, "navigator") ?? {};
  Object.defineProperty(globalThis, "navigator", { ...own, value: DENO });
  try {
    await send();
    await backend.publish("a", 1);
  } finally {
    Object.defineProperty(globalThis, "navigator", own);
  }
  await send();
  expect(sent.map(({ init }) => init.body instanceof ReadableStream)).toEqual([true, false, false]);
  expect(await new Response(sent[0]?.init.body).json()).toEqual({ data: { text: "é" } });
});

test("a user's token is sent in place of the key", async () => {
  const { sent, fetch } = recording(() => Response.json({ valid: true }));
  await createBackend({ ...OPTIONS, fetch }).tokens.verify("token");
  expect(sent.map((one) => headersOf(one).get("authorization"))).toEqual(["Bearer token"]);
});

test("the gateway may be below a path, and names and filters are escaped", async () => {
  const { sent, fetch } = recording(() => Response.json({ publications: [], users: [] }));
  const backend = createBackend({ ...OPTIONS, url: "https://example.com/live/?x#y", fetch });
  await backend.history("chat:a/b ?#", { limit: 3 }).page();
  await backend.users.search("a&b=c d").page();
  expect(sent.map(({ url }) => url)).toEqual([
    "https://example.com/live/api/channels/chat%3Aa%2Fb%20%3F%23/history?limit=3",
    "https://example.com/live/api/users/search?q=a%26b%3Dc+d",
  ]);
});

test("each publish has a key of its own, unless the caller gives one", async () => {
  const { sent, fetch } = recording();
  const backend = createBackend({ ...OPTIONS, fetch });
  await backend.publish("a", 1);
  await backend.publish("a", 1);
  await backend.publish("a", 1, { idempotencyKey: "mine", retries: 0 });
  const bodies = sent.map(({ init }) => JSON.parse(String(init.body)));
  const keys = bodies.map(({ idempotencyKey }) => idempotencyKey);
  expect(new Set(keys).size).toBe(3);
  expect(keys[2]).toBe("mine");
  // Options of the call are no fields of the message.
  expect(Object.keys(bodies[2]).toSorted()).toEqual(["channel", "data", "idempotencyKey"]);
});

test("a refusal says which request it was", async () => {
  const error = { code: "forbidden", message: "this key may not do that", temporary: false };
  const headers = { "x-request-id": "r.1" };
  const { fetch } = recording(() => Response.json({ error }, { status: 403, headers }));
  const failure = createBackend({ ...OPTIONS, fetch }).publish("a", 1);
  expect(await failure.catch((thrown: unknown) => thrown)).toMatchObject({
    ...{ name: "AldisError", code: "forbidden", status: 403, requestId: "r.1", effect: "none" },
    message: "this key may not do that",
  });
});

test("who aborts a call under way hears their own reason", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const fetch: Fetch = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new Error("the runtime's")));
      controller.abort(reason);
    });
  const call = createBackend({ ...OPTIONS, fetch }).publish("a", 1, { signal: controller.signal });
  expect(await call.catch((error: unknown) => error)).toBe(reason);
});

const WRONG: [string, Partial<BackendOptions>][] = [
  ["an address without a scheme", { url: "example.com" }],
  ["that of a socket", { url: "ws://example.com" }],
  ["no key", { apiKey: "" }],
  ["a key that is not set", { apiKey: undefined as unknown as string }],
  ["a tenant that is none", { tenant: null as unknown as string }],
  ["a time that is none", { deadlineMs: null as unknown as number }],
  ["a key of two lines", { apiKey: "two\nlines" }],
  ["no tenant", { tenant: "" }],
  ["a time that is no number", { timeoutMs: Number.NaN }],
  ["fewer retries than none", { retries: -1 }],
];

test.each(WRONG)("%s is refused before anything is sent, and not repeated", (_, wrong) => {
  try {
    createBackend({ ...OPTIONS, ...wrong });
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: "bad_request" });
    expect(String(error)).not.toContain("two");
  }
});

test("what a call cannot use is refused before it is sent", async () => {
  const { sent, fetch } = recording();
  const backend = createBackend({ ...OPTIONS, fetch });
  for (const wrong of [{ retries: -1 }, { timeoutMs: Number.NaN }, { deadlineMs: -5 }]) {
    expect([wrong, await codeOf(backend.publish("a", 1, wrong))]).toEqual([wrong, "bad_request"]);
  }
  const cycle: { again?: unknown } = {};
  cycle.again = cycle;
  for (const data of [{ n: 1n }, cycle]) {
    expect(await codeOf(backend.publish("a", data))).toBe("bad_request");
    expect(await codeOf(backend.publishMany([{ channel: "a", data }]))).toBe("bad_request");
  }
  expect(sent).toEqual([]);
});

test("a time longer than a timer's longest is no end at once", async () => {
  const { fetch } = recording();
  const later: Fetch = async (url, init) => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve));
    init.signal?.throwIfAborted();
    return await fetch(url, init);
  };
  const backend = createBackend({ ...OPTIONS, fetch: later, retries: 0 });
  const forever = { timeoutMs: 1e12, deadlineMs: Number.POSITIVE_INFINITY };
  expect(await backend.publish("a", 1, forever)).toMatchObject({ offset: 1 });
});

test("who cannot be reached is named, and why, but no secrets of the address", async () => {
  const cause = new Error("connect ECONNREFUSED 127.0.0.1:1");
  const fetch: Fetch = () => Promise.reject(new TypeError("fetch failed", { cause }));
  const url = "http://user:hunter2@example.com/live";
  const call = createBackend({ ...OPTIONS, url, fetch, retries: 0 }).publish("a", 1);
  expect(await call.catch((error: Error) => error.message)).toBe(
    "no answer from http://example.com: connect ECONNREFUSED 127.0.0.1:1",
  );
  const large = createBackend({ ...OPTIONS, fetch, retries: 0 }).publish("a", "x".repeat(2 ** 20));
  expect(await large.catch((error: Error) => error.message)).toEndWith("more than it takes");
  const several = new AggregateError([new Error("no route"), new Error("refused")], "");
  const others: Fetch = () => Promise.reject(new TypeError("fetch failed", { cause: several }));
  const other = createBackend({ ...OPTIONS, fetch: others, retries: 0 }).publish("a", 1);
  expect(await other.catch((error: Error) => error.message)).toEndWith(": no route");
});

test("[HT1] a 413 without a body is `too_large`, and not tried again", async () => {
  const { sent, fetch } = recording(() => new Response(null, { status: 413 }));
  const failure = createBackend({ ...OPTIONS, fetch }).publish("a", 1);
  expect(await failure.catch((error: unknown) => error)).toMatchObject({
    ...{ code: "too_large", status: 413, temporary: false, effect: "none" },
  });
  expect(sent).toHaveLength(1);
});

test("bytes of every kind go as they are", async () => {
  const { sent, fetch } = recording();
  const backend = createBackend({ ...OPTIONS, fetch });
  const bytes = new Uint8Array([0, 1, 2, 255]);
  for (const data of [
    bytes,
    bytes.buffer,
    Buffer.from(bytes),
    new Uint8Array(bytes.buffer, 1, 2),
  ]) {
    await backend.publish("a", data);
  }
  const bodies = sent.map(({ init }) => JSON.parse(String(init.body)).base64);
  expect(bodies).toEqual(["AAEC/w==", "AAEC/w==", "AAEC/w==", "AQI="]);
});

test("[HT8] many messages go in as many requests as the gateway takes them in", async () => {
  const { sent, fetch } = recording();
  const answering: Fetch = async (url, init) => {
    await fetch(url, init);
    const { commands } = JSON.parse(String(init.body));
    return Response.json({ results: commands.map(() => ({ offset: 1, epoch: "e" })) });
  };
  const backend = createBackend({ ...OPTIONS, fetch: answering });
  const sizes = () => {
    const bodies = sent.splice(0).map(({ init }) => String(init.body));
    for (const body of bodies.slice(0, -1)) expect(Buffer.byteLength(body)).toBeLessThan(2 ** 20);
    return bodies.map((body) => JSON.parse(body).commands.length);
  };
  const many = (count: number, data: unknown) =>
    backend.publishMany(Array.from({ length: count }, () => ({ channel: "a", data })));
  expect(await many(0, 1)).toEqual([]);
  expect(sizes()).toEqual([]);
  expect(await many(250, 1)).toHaveLength(250);
  expect(sizes()).toEqual([100, 100, 50]);
  // Six bytes each as JSON, two as text.
  await many(20, "\u0001".repeat(10_000));
  expect(sizes()).toEqual([8, 8, 4]);
  await many(3, "x".repeat(2 ** 20));
  expect(sent.splice(0)).toHaveLength(3);
  const channels = Array.from({ length: 100 }, (_, i) => `c${i}`);
  await backend.batch(Array.from({ length: 25 }, () => ({ broadcast: { channels, data: 1 } })));
  expect(sizes()).toEqual([10, 10, 5]);
});

test("when one of several requests fails, the error has what became of those before", async () => {
  let asked = 0;
  const fetch: Fetch = async (_, init) => {
    const { commands } = JSON.parse(String(init.body));
    if (++asked === 2) return new Response("", { status: 400 });
    return Response.json({ results: commands.map((_: unknown, i: number) => ({ offset: i + 1 })) });
  };
  const backend = createBackend({ ...OPTIONS, fetch });
  const messages = Array.from({ length: 300 }, () => ({ channel: "a", data: 1 }));
  const failure = await backend.publishMany(messages).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: "AldisError", code: "bad_answer", status: 400 });
  const { done } = failure as { done: { offset: number }[] };
  expect([done.length, done.at(-1)]).toEqual([100, { offset: 100 }]);
  expect(asked).toBe(2);
});

test("what no gateway answers is `bad_answer`", async () => {
  for (const answer of [
    () => new Response("<h1>hi</h1>", { headers: { "content-type": "text/html" } }),
    () => new Response("{", { headers: { "content-type": "application/json" } }),
    () => new Response("", { status: 404 }),
    () => Response.json({ message: "no route" }, { status: 404 }),
    () => Response.json({ error: "a text" }, { status: 500 }),
  ]) {
    const { fetch, sent } = recording(answer);
    expect(await codeOf(createBackend({ ...OPTIONS, fetch }).publish("a", 1))).toBe("bad_answer");
    expect(sent).toHaveLength(1);
  }
});
