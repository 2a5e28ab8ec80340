/** The checks themselves, by area. */
import { type AldisError, createBackend, createToken, verifyWebhook } from "@aldis/backend";
import type { Given, Report } from "./report.ts";

type Check = (given: Given, report: Report) => Promise<void>;

const codeAndEffect = (error: AldisError) => [error.code, error.effect];

function trouble(given: Given, kind: string, count = 1) {
  return fetch(`${given.controlUrl}/${kind}/${count}`, { method: "POST" });
}

async function publishing(given: Given, { same }: Report): Promise<void> {
  const backend = createBackend(given);
  same("first", (await backend.publish("chat:lobby", { text: "hé 🎈" })).offset, 1);
  same("bytes", (await backend.publish("chat:lobby", new Uint8Array([1, 2, 255]))).offset, 2);
  same("nothing", (await backend.publish("chat:lobby", undefined)).offset, 3);
  const seen: unknown[] = [];
  for await (const { data, base64 } of backend.history("chat:lobby", { limit: 1 })) {
    seen.push(base64 ?? data);
  }
  same("history", seen, [null, "AQL/", { text: "hé 🎈" }]);
  const told = await backend.broadcast(["chat:a", "chat:b"], 1);
  same(
    "broadcast",
    told.results.map((result) => "offset" in result && result.offset),
    [1, 1],
  );
  const large = "x".repeat(50_000);
  await backend.publish("chat:large", large);
  const { publications } = await backend.history("chat:large").page();
  same("large", publications[0]?.data === large, true);
}

async function batches(given: Given, { same }: Report): Promise<void> {
  const backend = createBackend(given);
  const messages = Array.from({ length: 250 }, (_, i) => ({
    channel: i === 120 ? "no spaces" : "chat:many",
    data: i,
  }));
  const results = await backend.publishMany(messages);
  same("results", results.length, 250);
  const refused = results.flatMap((one, i) => ("error" in one ? [[i, one.error.code]] : []));
  same("refused", refused, [[120, "bad_channel"]]);
  const newest = await backend.history("chat:many").take(2);
  same(
    "order",
    newest.map(({ data }) => data),
    [249, 248],
  );
  const mixed = await backend.batch([
    { publish: { channel: "chat:mixed", data: 1 } },
    { subscribe: { user: "nobody", channel: "chat:mixed" } },
  ]);
  same("mixed", mixed.length, 2);
}

async function tokens(given: Given, { same }: Report): Promise<void> {
  const backend = createBackend(given);
  const capabilities = { "chat:*": ["subscribe"] } as const;
  const secret = given.jwtSecret;
  const token = await createToken({ secret, user: "ann", name: "Änn", capabilities });
  const { user, name } = (await backend.tokens.identify(token)) as { user: string; name: string };
  same("identify", [user, name], ["ann", "Änn"]);
  same("valid", (await backend.tokens.verify(token)).valid, true);
  same("tampered", (await backend.tokens.verify(`${token}x`)).valid, false);
  const other = await createToken({ secret: `${secret}x`, user: "ann" });
  same("another secret", (await backend.tokens.verify(other)).valid, false);
  const misuse = await createToken({ secret: "", user: "ann" }).catch((error) => error.code);
  same("no secret", misuse, "bad_request");
}

async function lists(given: Given, { same }: Report): Promise<void> {
  const { users } = createBackend(given);
  for (const name of ["Ann", "Anna", "Bo"]) await users.update(name.toLowerCase(), { name });
  const found: unknown[] = [];
  for await (const { name } of users.search("an", { limit: 1 })) found.push(name);
  same("search", found.sort(), ["Ann", "Anna"]);
  same("removed", await users.remove("bo"), { removed: true });
}

async function webhooks(given: Given, { same }: Report): Promise<void> {
  const { secret, otherSecret, body, now, old } = given.signed;
  const ask = (more: Partial<Parameters<typeof verifyWebhook>[0]>) =>
    verifyWebhook({ secret, body, headers: now, ...more }).then(
      ({ endpoint }) => endpoint,
      (error) => error.code,
    );
  same("text", await ask({}), "e1");
  same("bytes", await ask({ body: new TextEncoder().encode(body) }), "e1");
  same("Headers", await ask({ headers: new Headers(now) }), "e1");
  const upper = Object.fromEntries(Object.entries(now).map(([k, v]) => [k.toUpperCase(), v]));
  same("upper case", await ask({ headers: upper }), "e1");
  same("two secrets", await ask({ secret: [otherSecret, secret] }), "e1");
  same("another secret", await ask({ secret: otherSecret }), "bad_signature");
  same("another body", await ask({ body: `${body} ` }), "bad_signature");
  same("old", await ask({ headers: old }), "bad_signature");
  same("old, tolerated", await ask({ headers: old, toleranceMs: 1e9 }), "e1");
}

async function retries(given: Given, { same }: Report): Promise<void> {
  const shaky = createBackend({ ...given, url: given.shakyUrl });
  await trouble(given, "drop", 2);
  same("published once", (await shaky.publish("chat:shaky", 1)).duplicate, true);
  await trouble(given, "swallow");
  const late = await shaky.publish("chat:late", 1, { timeoutMs: 500 });
  same("published once, late", [late.offset, late.duplicate], [1, true]);
  await trouble(given, "drop");
  await shaky.publishMany([
    { channel: "chat:shaky", data: 2 },
    { channel: "chat:shaky", data: 3 },
  ]);
  const kept = await shaky.history("chat:shaky").take();
  same(
    "history",
    kept.map(({ data }) => data),
    [3, 2, 1],
  );
  // Over a connection that was in use before: some runtimes send a request anew by themselves then.
  await trouble(given, "drop");
  const sent = await shaky.users.send("ann", 1).catch(codeAndEffect);
  same("not repeated", sent, ["network", "unknown"]);
  await shaky.health.live();
  await trouble(given, "drop");
  const rebalanced = await shaky.cluster.rebalance().catch(codeAndEffect);
  same("not repeated, without a body", rebalanced, ["network", "unknown"]);
  same("as a stream", await shaky.users.send("ann", { text: "hé" }), { delivered: 0 });
  await trouble(given, "busy", 2);
  same("a rate's refusal is", await shaky.users.send("ann", 1), { delivered: 0 });
  const dead = createBackend({ ...given, url: given.deadUrl, retries: 1 });
  const effect = given.tellsUnsent ? "none" : "unknown";
  same("dead", await dead.users.send("ann", 1).catch(codeAndEffect), ["network", effect]);
}

/** Enough for a request to arrive: one that were given up before would leave its trouble to the next. */
const ARRIVED_MS = 300;

async function limits(given: Given, { same }: Report): Promise<void> {
  const shaky = createBackend({ ...given, url: given.shakyUrl, retries: 0 });
  for (const kind of ["silent", "stalled"]) {
    await trouble(given, kind);
    const failure = await shaky.publish("a", 1, { timeoutMs: ARRIVED_MS }).catch(codeAndEffect);
    same(kind, failure, ["timeout", "unknown"]);
    await trouble(given, kind);
    const gone = new AbortController();
    setTimeout(() => gone.abort(new Error("gone")), ARRIVED_MS);
    const aborted = await shaky
      .publish("a", 1, { signal: gone.signal })
      .catch(({ message }) => message);
    same(`${kind}, aborted`, aborted, "gone");
  }
  const before = new AbortController();
  before.abort(new Error("before"));
  const never = await shaky
    .publish("a", 1, { signal: before.signal })
    .catch(({ message }) => message);
  same("aborted before", never, "before");
}

async function failures(given: Given, { same }: Report): Promise<void> {
  const backend = createBackend(given);
  const of = (error: AldisError) => [error.name, error.code, error.status, typeof error.requestId];
  const nobody = await backend.users.get("nobody").catch(of);
  same("not found", nobody, ["AldisError", "not_found", 404, "string"]);
  const place = await backend.publish("no spaces", 1).catch(of);
  same("channel", place, ["AldisError", "bad_channel", 400, "string"]);
  const stranger = createBackend({ ...given, apiKey: "wrong" });
  const told = await stranger.publish("a", 1).catch((error: AldisError) => error.status);
  same("key", told, 401);
  const shaky = createBackend({ ...given, url: given.shakyUrl, retries: 0 });
  for (const [kind, status] of [
    ["html", 502],
    ["redirect", 307],
  ] as const) {
    await trouble(given, kind);
    const failure = await shaky
      .publish("a", 1)
      .catch((error: AldisError) => [error.name, error.code, error.status]);
    same(kind, failure, ["AldisError", "bad_answer", status]);
  }
}

export const AREAS: Readonly<Record<string, Check>> = {
  ...{ publishing, batches, tokens, lists, webhooks, retries, limits, failures },
};
