/** The SDK against a running gateway, with clients that see what it does. */
import { expect, test } from "bun:test";
import { SECRET, startTestGateway } from "@aldis/testkit";
import { createBackend, createToken } from "../src/index.ts";
import { withStore } from "./support/gateway.ts";

test("what a backend publishes and sends, clients get", async () => {
  await using gateway = await startTestGateway();
  const backend = createBackend({ url: `${gateway.url}/`, apiKey: gateway.apiKey });
  const token = await createToken({
    secret: SECRET,
    user: "ann",
    capabilities: { "chat:*": ["subscribe"] },
    expiresIn: "15m",
  });
  const ann = await gateway.connect({ sub: "ann" });
  await ann.must("subscribe", { channel: "chat:lobby" });
  expect(await backend.tokens.verify(token)).toMatchObject({ valid: true });
  expect(await backend.tokens.verify(`${token}x`)).toMatchObject({ valid: false });

  await backend.publish("chat:lobby", { text: "hi" }, { event: "say", key: "k" });
  expect(await ann.next("message")).toMatchObject({ data: { event: "say", data: { text: "hi" } } });
  const results = await backend.publishMany([
    { channel: "chat:lobby", data: 1 },
    { channel: "no spaces", data: 2 },
    { channel: "chat:lobby", data: 3 },
  ]);
  expect(results).toMatchObject([{ offset: 2 }, { error: { code: "bad_channel" } }, { offset: 3 }]);
  const told = await backend.broadcast(["chat:lobby", "chat:kitchen"], "dinner");
  expect(told.results).toMatchObject([{ offset: 4 }, { channel: "chat:kitchen", offset: 1 }]);
  expect(await backend.users.send("ann", { room: "chess" }, { event: "invite" })).toEqual({
    delivered: 1,
  });

  expect(await backend.channels.occupancy("chat:lobby")).toMatchObject({
    subscribers: 1,
    offset: 4,
  });
  expect(await backend.channels.occupancy("chat:lob")).toMatchObject({ subscribers: 0 });
  const subscribers = await backend.channels.subscribers("chat:lobby").take();
  expect(subscribers.map(({ user }) => user)).toEqual(["ann"]);
  const present = await backend.presence("chat:lobby").take();
  expect(present.map(({ id }) => id)).toEqual(["ann"]);
  expect(await backend.users.subscribe("ann", "chat:given")).toEqual({ connections: 1 });
  expect(await backend.users.disconnect("ann", { reason: "signed out" })).toEqual({
    connections: 1,
  });
});

test("history goes back from the newest, or on from a place", async () => {
  await using gateway = await startTestGateway();
  const backend = createBackend({ url: gateway.url, apiKey: gateway.apiKey });
  for (let i = 1; i <= 5; i++) await backend.publish("chat:lobby", i);
  const seen = async (options: { after?: number; before?: number }) => {
    const history = backend.history("chat:lobby", { limit: 2, ...options });
    return (await history.take()).map(({ data }) => data);
  };
  expect(await seen({})).toEqual([5, 4, 3, 2, 1]);
  expect(await seen({ before: 3 })).toEqual([2, 1]);
  expect(await seen({ after: 2 })).toEqual([3, 4, 5]);
  const { publications } = await backend.history("chat:lobby", { limit: 2 }).page();
  expect(publications.map(({ data }) => data)).toEqual([4, 5]);
  expect(await backend.history("chat:lobby", { limit: 2 }).take(3)).toHaveLength(3);
});

test("users, their blocks and rooms are lists that are gone through", async () => {
  await using gateway = await withStore();
  const backend = createBackend({ url: gateway.url, apiKey: gateway.apiKey });
  const { users, chat } = backend;
  await users.updateMany(
    ["ann", "bo", "cy", "di", "ed"].map((id) => ({ id, email: `${id}@x.org` })),
  );
  expect((await users.list({ limit: 2 }).take()).map(({ id }) => id)).toEqual([
    ...["ann", "bo", "cy", "di", "ed"],
  ]);
  expect(await users.byEmail("bo@x.org")).toMatchObject({ id: "bo" });
  await users.block("ann", "bo");
  expect(await users.blocked("ann").take()).toMatchObject([{ id: "bo" }]);
  await users.unblock("ann", "bo");
  expect(await users.blocked("ann").take()).toEqual([]);

  await chat.rooms.create({ room: "den", access: "private", members: [{ user: "ann" }] });
  await chat.members.set("den", "bo", { role: "admin" });
  expect(await chat.members.list("den").take()).toHaveLength(2);
  for (const text of ["one", "two", "three"]) await chat.send("den", { user: "ann", text });
  const texts = (await chat.history("den", { limit: 2 }).take()).map(({ text }) => text);
  expect(texts).toEqual(["three", "two", "one"]);
  const on = (await chat.history("den", { limit: 1, after: 1 }).take()).map(({ seq }) => seq);
  expect(on).toEqual([2, 3]);
  expect(await chat.unread("bo").take()).toEqual([{ room: "chat:den", unread: 3 }]);
  await chat.markRead("den", { user: "bo", read: 3 });
  expect(await chat.unread("bo").take()).toEqual([{ room: "chat:den", unread: 0 }]);
  expect((await chat.search("den", "thr").take()).map(({ seq }) => seq)).toEqual([3]);
});

test("notifications wait until they are acknowledged or withdrawn", async () => {
  await using gateway = await withStore();
  const { notifications } = createBackend({ url: gateway.url, apiKey: gateway.apiKey });
  const { id } = await notifications.send({ user: "ann", title: "one" });
  const other = await notifications.send({ users: ["ann", "bo"], title: "two" });
  expect(await notifications.unreadCount("ann")).toBe(2);
  expect((await notifications.acknowledge("ann", { id })).acknowledged).toEqual([id]);
  expect(await notifications.withdraw(other.id)).toEqual({ withdrawn: 2 });
  expect(await notifications.list("ann", { state: "unacknowledged" }).take()).toEqual([]);
});

test("namespaces, health and the nodes", async () => {
  await using gateway = await startTestGateway();
  const backend = createBackend({ url: gateway.url, apiKey: gateway.apiKey });
  await backend.namespaces.set("prices", { slowConsumer: "latest" });
  expect((await backend.namespaces.list()).map(({ name }) => name)).toContain("prices");
  await backend.namespaces.remove("prices");
  expect(await backend.health.ready()).toEqual({ status: "ready" });
  expect(await backend.health.metrics()).toContain("aldis_");
  expect(await backend.cluster.nodes()).toHaveLength(1);
});

test("attack: no name leads out of its place in the path", async () => {
  await using gateway = await withStore();
  const { users } = createBackend({ url: gateway.url, apiKey: gateway.apiKey });
  for (const user of ["", ".", ".."]) {
    // The call refuses before anything is sent.
    const failure = await users.send(user, 1).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "bad_request", status: undefined });
  }
  for (const id of ["a/../b", "a?b#c", "%2e%2e", "ä ö"]) {
    await users.update(id, { name: "Odd" });
    expect(await users.get(id)).toMatchObject({ id });
  }
});
