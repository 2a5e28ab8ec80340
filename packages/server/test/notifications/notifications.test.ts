/** docs/protocol.md, section Notifications, over real sockets and a real database. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFakeClock, eventually, startTestGateway } from "@aldis/testkit";
import { API_KEY_OF_OTHER, asUser, startWithStore, withStore } from "./support.ts";

const PATH = "/api/notifications";

test("[NT2] [NT3] [NT7] [NT8] sent over HTTP, pushed, and acknowledged once for both devices", async () => {
  await using gateway = await startWithStore();
  const phone = await gateway.connect({ sub: "ann" });
  const laptop = await gateway.connect({ sub: "ann" });
  const bob = await gateway.connect({ sub: "bob" });
  const data = { order: 7, odd: ["\u0000", "\u2028", "🦊", 1e21] };
  const sent = await gateway.call("POST", PATH, { user: "ann", title: "Hi", data });
  expect(sent.status).toBe(200);
  const { id, at, expiresAt } = sent.body;
  for (const device of [phone, laptop]) {
    expect((await device.next("notification")).data).toEqual({
      ...{ id, seq: 1, at, expiresAt, title: "Hi", data },
    });
  }
  const answers = await Promise.all(
    [phone, laptop].map((device) => device.must("acknowledge_notification", { id })),
  );
  expect(answers.flatMap(({ acknowledged }) => acknowledged)).toEqual([id]);
  for (const device of [phone, laptop]) {
    expect((await device.next("notification_acknowledged")).data.ids).toEqual([id]);
  }
  await bob.settle();
  expect(bob.all.some(({ action }) => action === "notification")).toBe(false);
});

test("[NT11] [NT12] over HTTP: lists, counts and acknowledges for backends, and for users what is theirs", async () => {
  await using gateway = await startWithStore();
  const ann = await asUser(gateway, { sub: "ann" });
  const bob = await asUser(gateway, { sub: "bob" });
  const users = ["ann", "bob", "ann"];
  const many = await gateway.call("POST", PATH, { users, title: "many", idempotencyKey: "k" });
  expect(many.body).toMatchObject({ users: 2 });
  const again = await gateway.call("POST", PATH, { users, title: "other", idempotencyKey: "k" });
  expect(again).toEqual(many);
  await gateway.call("POST", PATH, { user: "ann", type: "own", collapseKey: "c" });
  await gateway.call("POST", PATH, { tenant: true, title: "all" });

  const { body } = await ann("GET", `${PATH}?limit=2`);
  expect(body.notifications.length).toBe(2);
  const rest = await ann("GET", `${PATH}?limit=2&cursor=${body.next}`);
  expect(rest.body.next).toBeUndefined();
  const titles = [...body.notifications, ...rest.body.notifications].map((n) => n.title ?? n.type);
  expect(titles).toEqual(["all", "own", "many"]);
  expect((await gateway.call("GET", `${PATH}?user=ann`)).body.notifications.length).toBe(3);
  expect((await gateway.call("GET", PATH)).body.notifications.length).toBe(1);
  expect((await ann("GET", `${PATH}/unread-count`)).body).toEqual({ unread: 3 });
  expect((await gateway.call("GET", `${PATH}/unread-count?user=bob`)).body).toEqual({ unread: 2 });

  const { id } = many.body;
  const acknowledged = await ann("POST", `${PATH}/acknowledge`, { ids: [id] });
  expect(acknowledged.body).toEqual({ acknowledged: [id] });
  const waiting = await ann("GET", `${PATH}?state=unacknowledged`);
  expect(waiting.body).toMatchObject({ unread: 2, notifications: [{ type: "own" }, {}] });
  const all = await ann("GET", PATH);
  expect(all.body.notifications[2].acknowledgedAt).toBeGreaterThan(0);
  expect((await gateway.call("DELETE", `${PATH}/${id}`)).body).toEqual({ withdrawn: 1 });
  expect((await bob("GET", `${PATH}/unread-count`)).body).toEqual({ unread: 1 });

  // Not for users, not for others, not without the scope.
  expect((await ann("POST", PATH, { user: "bob", title: "x" })).status).toBe(401);
  expect((await ann("DELETE", `${PATH}/${id}`)).status).toBe(401);
  expect((await ann("GET", `${PATH}?user=bob`)).status).toBe(403);
  expect((await ann("POST", `${PATH}/acknowledge`, { user: "bob", id })).status).toBe(403);
  expect((await gateway.call("GET", `${PATH}/unread-count`)).status).toBe(400);
  expect((await gateway.call("GET", `${PATH}?user=ann&cursor=w1.x`)).status).toBe(400);
  expect((await gateway.call("GET", `${PATH}?user=ann&cursor=l1.99999999999999999`)).status).toBe(
    400,
  );
});

test("P2 [NT12]: another tenant, and a key without the scope, see and do nothing", async () => {
  const other = { key: API_KEY_OF_OTHER, tenant: "other", scopes: ["*" as const] };
  const narrow = { key: "key-that-may-publish", scopes: ["publish" as const] };
  const main = { key: "test-api-key-0123456789abcdef", scopes: ["*" as const] };
  await using gateway = await startWithStore({ config: { api: { keys: [main, other, narrow] } } });
  const own = (await gateway.call("POST", PATH, { user: "ann", title: "x" })).body.id;
  const all = (await gateway.call("POST", PATH, { tenant: true, title: "x" })).body.id;
  const eve = await gateway.connect({ sub: "ann", tenant: "other" });
  for (const id of [own, all, "nAAAAAAAAAAAAAAAAAAAAAA", "tAAAAAAAAAAAAAAAAAAAAAA", "x';--"]) {
    const path = `${PATH}/${encodeURIComponent(id)}`;
    const withdrawn = await gateway.call("DELETE", path, undefined, API_KEY_OF_OTHER);
    expect(withdrawn).toMatchObject({ status: 200, body: { withdrawn: 0 } });
    const body = { user: "ann", upTo: id };
    const answer = await gateway.call("POST", `${PATH}/acknowledge`, body, API_KEY_OF_OTHER);
    expect(answer).toMatchObject({ status: 200, body: { acknowledged: [] } });
    expect(await eve.must("acknowledge_notification", { id })).toEqual({ acknowledged: [] });
  }
  const list = await gateway.call("GET", `${PATH}?user=ann`, undefined, API_KEY_OF_OTHER);
  expect(list.body).toEqual({ notifications: [] });
  expect((await gateway.call("POST", PATH, { user: "a", title: "x" }, narrow.key)).status).toBe(
    403,
  );
  expect((await gateway.call("GET", `${PATH}/unread-count?user=ann`)).body).toEqual({ unread: 2 });
});

test("[NT10] [LI6] users send to users where that is configured, so many a minute", async () => {
  await using gateway = await startWithStore({
    config: { notifications: { fromUsers: "capability", fromUsersPerMinute: 2 } },
  });
  const ann = await gateway.connect({ sub: "ann" });
  const bob = await gateway.connect({ sub: "bob", capabilities: { "@user:ann": ["send"] } });
  const message = { user: "ann", title: "hi", idempotencyKey: "k" };
  const first = await bob.must("notification", message);
  expect(await bob.must("notification", message)).toEqual(first);
  expect((await ann.next("notification")).data.from).toEqual({ user: "bob" });
  const { code, retryAfterMs } = await bob.refused("notification", message);
  expect(code).toBe("rate_limited");
  expect(retryAfterMs).toBeGreaterThan(0);
  expect((await bob.refused("notification", { user: "cem", title: "hi" })).code).toBe("forbidden");
});

test("[NT1] [NT15] what is wrong is refused, with a code and nothing kept", async () => {
  await using gateway = await startWithStore();
  const bad = [
    {},
    { user: "ann" },
    { user: "ann", body: "x" },
    { title: "x" },
    { user: "ann", users: ["bob"], title: "x" },
    { users: [], title: "x" },
    { tenant: false, title: "x" },
    { user: "a\u0000b", title: "x" },
    { user: "a\ud800", title: "x" },
    { user: { $gt: "" }, title: "x" },
    { user: "ann", title: "x", priority: "high" },
    { user: "ann", title: "x", expiresInMs: 0 },
    { user: "ann", title: "x", expiresInMs: 1e15 },
    { user: "ann", title: "x", collapseKey: "" },
    { user: "ann", title: "x".repeat(257) },
    { users: Array.from({ length: 10_001 }, (_, n) => `u${n}`), title: "x" },
  ];
  for (const body of bad) expect((await gateway.call("POST", PATH, body)).status).toBe(400);
  const large = { user: "ann", title: "x", data: "€".repeat(3_000) };
  expect((await gateway.call("POST", PATH, large)).status).toBe(413);
  const ann = await gateway.connect({ sub: "ann" });
  for (const input of [{}, { id: 7 }, { ids: [] }, { ids: "x" }, { id: "a", upTo: "b" }]) {
    const { code } = await ann.refused("acknowledge_notification", input);
    expect(code).toBe("bad_request");
  }
  const fetch = "fetch_unacknowledged_notifications";
  for (const input of [{ limit: 0 }, { limit: 501 }, { cursor: "w2.1.1" }, { cursor: 7 }]) {
    expect((await ann.refused(fetch, input)).code).toBe("bad_request");
  }
  expect(await ann.must(fetch, {})).toEqual({ notifications: [], unread: 0 });
  expect(gateway.logged.filter((line) => line.includes('"level":50'))).toEqual([]);
});

test("[NT9] ends by the gateway's clock", async () => {
  const clock = createFakeClock();
  await using gateway = await startWithStore({ clock });
  const body = { user: "ann", title: "short", expiresInMs: 1_000 };
  const { at, expiresAt } = (await gateway.call("POST", PATH, body)).body;
  expect(expiresAt - at).toBe(1_000);
  clock.advance(1_000);
  const ann = await gateway.connect({ sub: "ann" });
  const fetched = await ann.must("fetch_unacknowledged_notifications", {});
  expect(fetched).toEqual({ notifications: [], unread: 0 });
  expect(ann.all.some(({ action }) => action === "notification")).toBe(false);
});

test("[NT11] 10,000 users in one call", async () => {
  await using gateway = await startWithStore();
  const ann = await gateway.connect({ sub: "u9999" });
  const users = Array.from({ length: 10_000 }, (_, n) => `u${n}`);
  const { body } = await gateway.call("POST", PATH, { users, title: "all", idempotencyKey: "k" });
  expect(body.users).toBe(10_000);
  expect((await ann.next("notification")).data.id).toBe(body.id);
});

test("without a store there are no notifications", async () => {
  await using gateway = await startTestGateway();
  const ann = await gateway.connect();
  const { code } = await ann.refused("fetch_unacknowledged_notifications", {});
  expect(code).toBe("unknown_action");
  expect((await gateway.call("POST", PATH, { user: "ann", title: "x" })).status).toBe(404);
});

test("[HT5] the example of every route is taken by that route", async () => {
  await using gateway = await startWithStore();
  const document = await (await fetch(`${gateway.url}/openapi.json`)).json();
  // biome-ignore lint/suspicious/noExplicitAny: other tests judge the document's shape
  const routes = Object.entries<Record<string, any>>(document.paths)
    .filter(([path]) => path.startsWith(PATH))
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
    );
  expect(routes.length).toBe(8);
  for (const { path, method, operation } of routes) {
    const { path: values = {}, query = {}, body } = operation["x-example"] ?? {};
    const filled = path.replace(/\{(\w+)\}/g, (_: string, name: string) => values[name] ?? "");
    const search = new URLSearchParams(query).toString();
    const verb = method.toUpperCase();
    const { status } = await gateway.call(verb, `${filled}?${search}`, body);
    // Without keys there is no Web Push.
    const isPush = path.includes("push-key") || path.includes("subscriptions");
    expect([verb, filled, status]).toEqual([verb, filled, isPush ? 404 : 200]);
  }
});

test("P4 P5 faults 10: while SQLite is locked a send is refused for now, connections stay, and its repeat has one effect", async () => {
  const folder = mkdtempSync(join(tmpdir(), "aldis-notifications-"));
  const { store } = withStore(folder);
  await using gateway = await startTestGateway({ config: { store: { ...store, timeoutMs: 400 } } });
  const ann = await gateway.connect({ sub: "ann" });
  const kept = (await gateway.call("POST", PATH, { user: "ann", title: "kept" })).body.id;
  await ann.next("notification");
  const intruder = new Database(join(folder, "aldis.db"));
  // The gateway writes now and then by itself.
  intruder.run("PRAGMA busy_timeout = 10000");
  intruder.run("BEGIN IMMEDIATE");
  const message = { user: "ann", title: "late", idempotencyKey: "k" };
  const refused = await gateway.call("POST", PATH, message);
  expect(refused.status).toBe(503);
  expect(refused.body.error).toMatchObject({ code: "unavailable", temporary: true });
  const acknowledge = await ann.refused("acknowledge_notification", { id: kept });
  expect(acknowledge).toMatchObject({ code: "unavailable", temporary: true });
  intruder.run("ROLLBACK");
  intruder.close();
  const sent = await eventually("the store to be back", async () => {
    const { status, body } = await gateway.call("POST", PATH, message);
    return status === 200 ? body : undefined;
  });
  expect((await gateway.call("POST", PATH, message)).body).toEqual(sent);
  const pushed = await ann.next("notification");
  expect(pushed.data).toMatchObject({ id: sent.id, title: "late" });
  const { acknowledged } = await ann.must("acknowledge_notification", { ids: [kept, sent.id] });
  expect(acknowledged.length).toBeGreaterThan(0);
  const list = await ann.must("fetch_unacknowledged_notifications", {});
  expect(list).toEqual({ notifications: [], unread: 0 });
  rmSync(folder, { recursive: true, force: true });
});
