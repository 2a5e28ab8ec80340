import { expect, test } from "bun:test";
import { eventually, startTcpProxy, startTestGateway, type TestGateway } from "@aldis/testkit";
import { type ClientOptions, createClient } from "../src/index.ts";
import { type Notifications, notifications } from "../src/notifications.ts";
import { startDurable } from "./support/durable.ts";
import { through } from "./support/real-clients.ts";

async function device(gateway: TestGateway, user: string, options: Partial<ClientOptions> = {}) {
  const token = await gateway.token({ sub: user, capabilities: { "*": ["*"] } });
  const client = createClient({
    ...{ url: gateway.wsUrl, token, backoff: { minMs: 1, maxMs: 20 } },
    ...options,
    use: { notifications },
  });
  client.connect();
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

async function notify(gateway: TestGateway, notification: object): Promise<string> {
  const { status, body } = await gateway.call("POST", "/api/notifications", notification);
  expect(status).toBe(200);
  return body.id;
}

const titles = ({ view }: Notifications) => view.notifications.map(({ title }) => title);

test("[NT2] [NT3] what came while away is there, and what comes now joins it, urgent ones first", async () => {
  await using gateway = await startDurable();
  await notify(gateway, { user: "ann", title: "first" });
  await notify(gateway, { user: "ann", title: "fire", priority: "urgent" });
  await notify(gateway, { tenant: true, title: "for everyone" });
  using ann = await device(gateway, "ann");
  const inbox = ann.notifications();
  expect(ann.notifications()).toBe(inbox);
  await eventually("all are there", () => inbox.view.unread === 3);
  expect(titles(inbox)).toEqual(["fire", "first", "for everyone"]);
  await notify(gateway, { user: "ann", title: "news" });
  await notify(gateway, { user: "ann", title: "flood", priority: "urgent" });
  await eventually("the new ones are there", () => inbox.view.unread === 5);
  expect(titles(inbox)).toEqual(["fire", "flood", "first", "for everyone", "news"]);
  expect(inbox.view.hasMore).toBe(false);
});

test("[NT7] [NT8] acknowledged on one device it goes on the other, and does not come back", async () => {
  await using gateway = await startDurable();
  using phone = await device(gateway, "ann");
  using laptop = await device(gateway, "ann");
  const [here, there] = [phone.notifications(), laptop.notifications()];
  const ids: string[] = [];
  for (const title of ["one", "two", "three"])
    ids.push(await notify(gateway, { user: "ann", title }));
  await eventually("both have them", () => [here, there].every(({ view }) => view.unread === 3));
  here.acknowledge(ids[1] ?? "");
  expect(titles(here)).toEqual(["one", "three"]);
  await eventually("it is gone there too", () => there.view.unread === 2);
  here.acknowledge("all");
  await eventually("they are all gone", () => there.view.unread === 0);
  using later = await device(gateway, "ann");
  await later.ready();
  await notify(gateway, { user: "ann", title: "four" });
  await eventually("only what is new is there", () => titles(later.notifications())[0] === "four");
  expect(titles(later.notifications())).toEqual(["four"]);
});

test("[NT5] the latest of a collapse key stands for the others", async () => {
  await using gateway = await startDurable();
  using ann = await device(gateway, "ann");
  const inbox = ann.notifications();
  for (const percent of [10, 60, 100]) {
    const content = { title: `${percent} %`, collapseKey: "upload" };
    await notify(gateway, { user: "ann", ...content });
  }
  await notify(gateway, { user: "ann", title: "another" });
  await eventually("the last is there", () => titles(inbox).includes("another"));
  expect(titles(inbox)).toEqual(["100 %", "another"]);
});

test("[NT8] what its sender withdraws goes away", async () => {
  await using gateway = await startDurable();
  using ann = await device(gateway, "ann");
  const inbox = ann.notifications();
  const id = await notify(gateway, { user: "ann", title: "oops" });
  await eventually("it is there", () => inbox.view.unread === 1);
  await gateway.call("DELETE", `/api/notifications/${id}`);
  await eventually("it is gone", () => inbox.view.unread === 0);
});

test("[NT3] [NT6] of 250 that wait the list has the first ones and counts all", async () => {
  await using gateway = await startDurable();
  for (let n = 1; n <= 250; n++) await notify(gateway, { user: "ann", title: `n${n}` });
  using ann = await device(gateway, "ann");
  const inbox = ann.notifications();
  await eventually("all are counted", () => inbox.view.unread === 250);
  expect([inbox.view.notifications.length, inbox.view.hasMore]).toEqual([100, true]);
  await inbox.loadMore();
  await inbox.loadMore();
  const all = Array.from({ length: 250 }, (_, n) => `n${n + 1}`);
  expect(titles(inbox)).toEqual(all);
  expect([inbox.view.unread, inbox.view.hasMore]).toEqual([250, false]);
  inbox.acknowledge("all");
  expect([inbox.view.unread, inbox.view.hasMore]).toEqual([0, false]);
  using again = await device(gateway, "ann");
  await eventually("the gateway has heard it", async () => {
    const { unread } = (await again.request("fetch_unacknowledged_notifications", {})) as {
      unread: number;
    };
    return unread === 0;
  });
});

test("[NT3] who dismisses what is loaded is shown the next ones, and the count stays right", async () => {
  await using gateway = await startDurable();
  for (let n = 1; n <= 250; n++) await notify(gateway, { user: "ann", title: `n${n}` });
  using ann = await device(gateway, "ann");
  const inbox = ann.notifications();
  await eventually("all are counted", () => inbox.view.unread === 250);
  inbox.acknowledge("all");
  expect(inbox.view.unread).toBe(150);
  // The gateway pushes the next piece (NT3): they were counted already.
  await eventually("the next ones are there", () => titles(inbox).length > 0);
  await eventually("they are counted once", () => inbox.view.unread === 150);
  while (inbox.view.hasMore) await inbox.loadMore();
  expect(titles(inbox)).toEqual(Array.from({ length: 150 }, (_, n) => `n${n + 101}`));
});

test("[NT7] acknowledged while cut off, the gateway hears of it afterwards", async () => {
  await using gateway = await startDurable();
  await using proxy = await startTcpProxy(gateway.gateway.port);
  using phone = await device(gateway, "ann", { url: through(proxy, gateway) });
  using laptop = await device(gateway, "ann");
  const [here, there] = [phone.notifications(), laptop.notifications()];
  const id = await notify(gateway, { user: "ann", title: "one" });
  await notify(gateway, { user: "ann", title: "two" });
  await eventually("both have them", () => [here, there].every(({ view }) => view.unread === 2));
  proxy.cut();
  here.acknowledge(id);
  expect(titles(here)).toEqual(["two"]);
  await eventually("it is gone there", () => there.view.unread === 1);
  await eventually("it is back", () => phone.state.name === "connected");
  expect(titles(here)).toEqual(["two"]);
});

test("without a store the list is empty, and nothing is asked again and again", async () => {
  await using gateway = await startTestGateway();
  using ann = await device(gateway, "ann");
  const inbox = ann.notifications();
  await ann.ready();
  const error = await inbox.send({ user: "bob", title: "hi" }).catch(({ code }) => code);
  expect(error).toBe("unknown_action");
  inbox.acknowledge("nothing");
  expect(inbox.view).toMatchObject({ notifications: [], unread: 0, hasMore: false });
});

test("[NT10] one user notifies another where the gateway lets them", async () => {
  await using gateway = await startDurable({ notifications: { fromUsers: "user" } });
  using ann = await device(gateway, "ann");
  using bob = await device(gateway, "bob");
  const inbox = bob.notifications();
  const { id } = await ann.notifications().send({ user: "bob", title: "lunch?" });
  await eventually("it is there", () => inbox.view.unread === 1);
  expect(inbox.view.notifications[0]).toMatchObject({ id, title: "lunch?", from: { user: "ann" } });
});
