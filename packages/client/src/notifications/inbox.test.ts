import { expect, test } from "bun:test";
import type { WireNotification } from "@aldis/protocol";
import { settled } from "../../test/support/fake-clock.ts";
import type { FakeSocket } from "../../test/support/fake-socket.ts";
import { Harness } from "../../test/support/harness.ts";
import { notifications } from "../notifications.ts";

const FETCH = "fetch_unacknowledged_notifications";
const ACKNOWLEDGE = "acknowledge_notification";

function harness() {
  const h = new Harness({ use: { notifications } });
  const inbox = h.client.notifications();
  const ids = () => inbox.view.notifications.map(({ id }) => id);
  return { h, inbox, ids };
}

/** Connected, the first page answered. */
async function live(page: object = {}) {
  const all = harness();
  const socket = await all.h.connected();
  socket.reply(FETCH, { notifications: [], unread: 0, ...page });
  await settled();
  return { ...all, socket };
}

function one(n: number, more: Partial<WireNotification> = {}): WireNotification {
  const at = 1_700_000_000_000 + n;
  return { id: `n${n}`, seq: n, at, expiresAt: at + 86_400_000, title: `title ${n}`, ...more };
}

async function push(socket: FakeSocket, notification: object): Promise<void> {
  socket.push("notification", notification);
  await settled();
}

test("[NT9] each goes when it ends, without a word of the gateway", async () => {
  const { h, inbox, ids, socket } = await live();
  const told: number[] = [];
  inbox.onChange(({ unread }) => told.push(unread));
  const startMs = h.clock.nowMs();
  await push(socket, one(1, { expiresAt: startMs + 5_000 }));
  await push(socket, one(2, { expiresAt: startMs + 1_000 }));
  await push(socket, one(3));
  await push(socket, one(4, { expiresAt: startMs }));
  expect(ids()).toEqual(["n1", "n2", "n3"]);
  await h.clock.advance(1_000);
  expect(ids()).toEqual(["n1", "n3"]);
  await h.clock.advance(4_000);
  expect(ids()).toEqual(["n3"]);
  expect(told).toEqual([1, 2, 3, 3, 2, 1]);
});

test("[NT4] pushed again it is shown once, and what was acknowledged stays away", async () => {
  const { inbox, ids, socket } = await live();
  for (const n of [1, 2, 1]) await push(socket, one(n));
  expect(ids()).toEqual(["n1", "n2"]);
  inbox.acknowledge("n1");
  await push(socket, one(1));
  expect(ids()).toEqual(["n2"]);
  socket.push("notification_acknowledged", { ids: ["n2", "n3"], at: 1 });
  // A push that was overtaken by the word that it is acknowledged.
  await push(socket, one(3));
  expect(ids()).toEqual([]);
});

test("[NT5] the greatest seq of a collapse key stays, in whichever order they come; the tenant's are apart", async () => {
  const { ids, socket } = await live();
  await push(socket, one(5, { collapseKey: "k" }));
  await push(socket, one(4, { collapseKey: "k" }));
  await push(socket, one(3, { collapseKey: "k", tenant: true }));
  expect(ids()).toEqual(["n3", "n5"]);
  await push(socket, one(6, { collapseKey: "k" }));
  expect(ids()).toEqual(["n3", "n6"]);
});

test("what is pushed while the first page is on its way stays", async () => {
  const { h, inbox, ids } = harness();
  const socket = await h.connected();
  await push(socket, one(1));
  await push(socket, one(9));
  socket.reply(FETCH, { notifications: [one(1), one(2)], unread: 2 });
  await settled();
  expect(ids()).toEqual(["n1", "n2", "n9"]);
  expect(inbox.view).toMatchObject({ unread: 3, hasMore: false });
});

test("after a break what was acknowledged elsewhere is gone", async () => {
  const { h, ids } = await live({ notifications: [one(1), one(2)], unread: 2 });
  const socket = await h.reconnected();
  expect(ids()).toEqual(["n1", "n2"]);
  socket.reply(FETCH, { notifications: [one(2)], unread: 1 });
  await settled();
  expect(ids()).toEqual(["n2"]);
});

test("[NT7] an acknowledgement is repeated until it is answered", async () => {
  const { h, inbox, socket } = await live({ notifications: [one(1), one(2)], unread: 2 });
  inbox.acknowledge("n1");
  inbox.acknowledge("n2");
  expect(socket.all(ACKNOWLEDGE).map(({ data }) => data)).toEqual([{ ids: ["n1"] }]);
  socket.refuse(ACKNOWLEDGE, "unavailable");
  await h.clock.advance(1_000);
  expect(socket.last(ACKNOWLEDGE).data).toEqual({ ids: ["n1", "n2"] });
  const next = await h.reconnected();
  expect(next.last(ACKNOWLEDGE).data).toEqual({ ids: ["n1", "n2"] });
  next.reply(ACKNOWLEDGE, { acknowledged: ["n1", "n2"] });
  next.reply(FETCH, { notifications: [], unread: 0 });
  await h.clock.advance(60_000);
  expect(next.all(ACKNOWLEDGE)).toHaveLength(1);
  expect(next.all(FETCH)).toHaveLength(1);
});

test("an acknowledgement that is refused for good shows it again", async () => {
  const { inbox, ids, socket } = await live({ notifications: [one(1)], unread: 1 });
  inbox.acknowledge("n1");
  expect(ids()).toEqual([]);
  socket.refuse(ACKNOWLEDGE, "forbidden");
  await settled();
  socket.reply(FETCH, { notifications: [one(1)], unread: 1 });
  await settled();
  expect(ids()).toEqual(["n1"]);
});

test("a gateway without a store is asked once a connection", async () => {
  const { h, inbox } = harness();
  const socket = await h.connected();
  socket.refuse(FETCH, "unknown_action");
  await settled();
  inbox.acknowledge("n1");
  socket.refuse(ACKNOWLEDGE, "unknown_action");
  await settled();
  socket.refuse(FETCH, "unknown_action");
  await h.clock.advance(60_000);
  expect(socket.all(FETCH)).toHaveLength(2);
  expect(socket.all(ACKNOWLEDGE)).toHaveLength(1);
  expect(h.errors).toEqual([]);
});

test("a store that is away for a while is asked again, ever more rarely", async () => {
  const { h, ids } = harness();
  const socket = await h.connected();
  socket.onSent = ({ action }) => {
    if (action === FETCH) queueMicrotask(() => socket.refuse(FETCH, "unavailable"));
  };
  socket.refuse(FETCH, "unavailable");
  await h.clock.advance(60_000);
  expect(socket.all(FETCH).length).toBeGreaterThan(4);
  expect(socket.all(FETCH).length).toBeLessThan(20);
  socket.onSent = () => {};
  const tries = socket.all(FETCH).length;
  while (socket.all(FETCH).length === tries) await h.clock.advance(500);
  socket.reply(FETCH, { notifications: [one(1)], unread: 1 });
  await settled();
  expect(ids()).toEqual(["n1"]);
});

test("[NT3] one that is pushed while more wait may be one of those: they are counted anew, once for many", async () => {
  const { h, inbox, socket } = await live({
    ...{ notifications: [one(1), one(2)], unread: 5, next: "c" },
  });
  expect(inbox.view).toMatchObject({ unread: 5, hasMore: true });
  for (const n of [3, 4]) await push(socket, one(n));
  await h.clock.advance(1_000);
  expect(socket.all(FETCH)).toHaveLength(2);
  socket.reply(FETCH, { notifications: [one(1)], unread: 5, next: "d" });
  await settled();
  expect(inbox.view).toMatchObject({ unread: 5, hasMore: true });
  const loaded = inbox.loadMore();
  expect(socket.last(FETCH).data).toEqual({ limit: 100, cursor: "c" });
  socket.reply(FETCH, { notifications: [one(3), one(4), one(5)], unread: 5 });
  await loaded;
  expect(inbox.view).toMatchObject({ unread: 5, hasMore: false });
});

test("[NT6] at most 1,000 are kept, and all are counted", async () => {
  const { inbox, socket } = await live();
  for (let n = 1; n <= 1_005; n++) socket.push("notification", one(n));
  await settled();
  expect(inbox.view.notifications).toHaveLength(1_000);
  expect(inbox.view).toMatchObject({ unread: 1_005, hasMore: true });
});

test("closed it leaves no timer, and goes on when the client connects again", async () => {
  const { h, inbox, ids, socket } = await live({ notifications: [one(1)], unread: 3, next: "c" });
  await push(socket, one(2));
  inbox.acknowledge("n2");
  h.client.close();
  await settled();
  expect(h.clock.pending).toBe(0);
  const again = await h.connected();
  expect(again.last(ACKNOWLEDGE).data).toEqual({ ids: ["n2"] });
  again.reply(ACKNOWLEDGE, { acknowledged: ["n2"] });
  again.reply(FETCH, { notifications: [one(1)], unread: 1 });
  await settled();
  expect(ids()).toEqual(["n1"]);
});

test("[NT13] Web Push: the browser subscribes with the gateway's key, and ends it on both sides", async () => {
  const { h, inbox } = harness();
  const socket = await h.connected();
  const asked: object[] = [];
  let ended = 0;
  const endpoint = "https://push.example/1";
  const subscription = { endpoint, keys: { p256dh: "p", auth: "a" } };
  const enabled = inbox.enablePush({
    async subscribe(options) {
      asked.push(options);
      const unsubscribe = async () => ++ended > 0;
      return { endpoint, toJSON: () => subscription, unsubscribe };
    },
  });
  socket.reply("push_key", { publicKey: "key" });
  await settled();
  expect(asked).toEqual([{ userVisibleOnly: true, applicationServerKey: "key" }]);
  expect(socket.last("push_subscribe").data).toEqual(subscription);
  socket.reply("push_subscribe", {});
  const end = (await enabled)();
  await settled();
  expect(socket.last("push_unsubscribe").data).toEqual({ endpoint });
  socket.reply("push_unsubscribe", {});
  await end;
  expect(ended).toBe(1);
});

test("[NT13] where the gateway has no Web Push, the browser is not asked", async () => {
  const { h, inbox } = harness();
  const socket = await h.connected();
  const enabled = inbox.enablePush({
    subscribe: () => Promise.reject(new Error("the browser was asked")),
  });
  socket.refuse("push_key", "not_found");
  expect(await enabled.catch(({ code }) => code)).toBe("not_found");
});
