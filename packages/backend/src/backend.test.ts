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
