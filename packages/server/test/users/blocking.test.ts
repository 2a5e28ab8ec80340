/** Block lists, and who reaches whom (protocol.md US7, US8). */
import { describe, expect, test } from "bun:test";
import { USER_FIELDS } from "../../src/users/config.ts";
import { ACME_KEY, idsOf, openUsers, people } from "./open-users.ts";

describe("[US7] blocking", () => {
  test("all of a user's connections are told, and the list is kept", async () => {
    await using gateway = await openUsers();
    const { ann, bob } = await people(gateway);
    const tab = await gateway.connect({ sub: "ann" });
    expect(await ann.must("block_user", { user: "bob" })).toEqual({ user: "bob" });
    for (const one of [ann, tab]) {
      expect((await one.next("blocked_users")).data).toEqual({ user: "bob", blocked: true });
    }
    await ann.must("block_user", { user: "bob" });
    const { users } = await tab.must("blocked_users");
    expect(users).toEqual([{ id: "bob", at: expect.any(Number) }]);
    expect((await gateway.call("GET", "/api/users/ann/blocked")).body.users).toEqual(users);
    await ann.must("unblock_user", { user: "bob" });
    expect((await tab.next("blocked_users")).data).toEqual({ user: "bob", blocked: false });
    expect(await ann.must("blocked_users")).toEqual({ users: [] });
    expect((await ann.refused("block_user", { user: "ann" })).code).toBe("bad_request");
    await bob.settle();
    expect(bob.frames).toEqual([]);
  });

  test("a user's list is their own, and bounded", async () => {
    await using gateway = await openUsers({ blocksMax: 2 });
    const { ann } = await people(gateway);
    const token = await gateway.token({ sub: "ann" });
    const call = async (method: string, path: string) =>
      (await gateway.call(method, path, undefined, token)).status;
    expect(await call("PUT", "/api/users/ann/blocked/bob")).toBe(200);
    for (const other of ["bob", "nobody-of-this-name"]) {
      expect(await call("PUT", `/api/users/${other}/blocked/ann`)).toBe(403);
      expect(await call("GET", `/api/users/${other}/blocked`)).toBe(403);
      expect(await call("DELETE", `/api/users/${other}/blocked/ann`)).toBe(403);
    }
    await ann.must("block_user", { user: "cid" });
    expect((await ann.refused("block_user", { user: "dan" })).code).toBe("limit_reached");
    expect((await ann.must("blocked_users", { limit: 1 })).next).toEqual(expect.any(String));
    const page = await ann.must("blocked_users", { limit: 1 });
    expect(idsOf(await ann.must("blocked_users", { cursor: page.next }))).toEqual(["cid"]);
  });

  test("[US8] the two do not find each other, whoever blocks", async () => {
    await using gateway = await openUsers({ visibility: "everybody", fields: [...USER_FIELDS] });
    const { ann, bob } = await people(gateway);
    const cid = await gateway.connect({ sub: "cid" });
    await ann.must("block_user", { user: "bob" });
    for (const [one, other, name] of [
      [ann, "bob", "ann"],
      [bob, "ann", "bob"],
    ] as const) {
      expect(idsOf(await one.must("get_connected_users"))).toEqual([name, "cid"].toSorted());
      expect(await one.must("search_users", { q: other })).toEqual({ users: [] });
      expect(await one.refused("get_user", { user: other })).toEqual(
        await one.refused("get_user", { user: "nobody-of-this-name" }),
      );
    }
    const token = await gateway.token({ sub: "bob" });
    const byEmail = await gateway.call(
      "GET",
      "/api/users/by-email/ann@example.com",
      undefined,
      token,
    );
    expect(byEmail.status).toBe(404);
    expect(idsOf(await cid.must("get_connected_users"))).toEqual(["ann", "bob", "cid"]);
    await ann.must("unblock_user", { user: "bob" });
    expect((await bob.must("get_user", { user: "ann" })).id).toBe("ann");
  });
});

describe("[US8] direct messages", () => {
  const open = () => openUsers({}, { config: { direct: { allow: "user" } } });

  test("of a blocked user do not come, and they are answered as if nobody were connected", async () => {
    await using gateway = await open();
    const { ann, bob } = await people(gateway);
    const nobody = await bob.must("send", { user: "nobody-of-this-name", data: 0 });
    await ann.must("block_user", { user: "bob" });
    await ann.next("blocked_users");
    const { connection } = ann.welcome;
    for (const to of [{ user: "ann" }, { connection }, { user: "ann", urgent: true }]) {
      expect(await bob.must("send", { ...to, data: 1 })).toEqual(nobody);
    }
    bob.send("send", { user: "ann", data: "without an id" });
    // The other way is open: who blocks decides what they hear.
    expect(await ann.must("send", { user: "bob", data: 2 })).toEqual({ delivered: 1 });
    const cid = await gateway.connect({ sub: "cid" });
    expect(await cid.must("send", { user: "ann", data: 3 })).toEqual({ delivered: 1 });
    expect((await ann.next("message")).data).toMatchObject({ data: 3, from: { user: "cid" } });
    // Backends are not concerned.
    const sent = await gateway.call("POST", "/api/users/ann/send", { data: 4 });
    expect(sent.body).toEqual({ delivered: 1 });
    expect((await ann.next("message")).data.data).toBe(4);
    await ann.must("unblock_user", { user: "bob" });
    expect(await bob.must("send", { user: "ann", data: 5 })).toEqual({ delivered: 1 });
    expect(ann.all.filter(({ action }) => action === "message").length).toBe(3);
  });

  test("P2: the same ids in another tenant have nothing to do with it", async () => {
    await using gateway = await open();
    const { ann } = await people(gateway);
    await ann.must("block_user", { user: "bob" });
    const other = await gateway.connect({ sub: "ann", tenant: "acme" });
    const bob = await gateway.connect({ sub: "bob", tenant: "acme" });
    expect(await bob.must("send", { user: "ann", data: 1 })).toEqual({ delivered: 1 });
    expect((await other.next("message")).data.data).toBe(1);
    expect(await bob.must("send", { connection: ann.welcome.connection, data: 2 })).toEqual({
      delivered: 0,
    });
    const blocked = await gateway.call("GET", "/api/users/ann/blocked", undefined, ACME_KEY);
    expect(blocked.body).toEqual({ users: [] });
  });
});

test("[US8] notifications of a blocked user do not come, and their sender sees no difference", async () => {
  await using gateway = await openUsers({}, { config: { notifications: { fromUsers: "user" } } });
  const { ann, bob } = await people(gateway);
  const heard = await bob.must("notification", { user: "ann", title: "1" });
  expect((await ann.next("notification")).data.title).toBe("1");
  await ann.must("block_user", { user: "bob" });
  const again = { user: "ann", title: "2", idempotencyKey: "k" };
  const unheard = await bob.must("notification", again);
  expect(Object.keys(unheard).toSorted()).toEqual(Object.keys(heard).toSorted());
  expect(await bob.must("notification", again)).toEqual(unheard);
  const { notifications, unread } = await ann.must("fetch_unacknowledged_notifications");
  expect([notifications.length, unread]).toEqual([1, 1]);
  await gateway.call("POST", "/api/notifications", { user: "ann", title: "3" });
  expect((await ann.next("notification")).data.title).toBe("3");
});
