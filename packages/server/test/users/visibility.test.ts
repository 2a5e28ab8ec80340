/** What users may know of each other, and who hears whom (protocol.md US3 to US8). */
import { describe, expect, test } from "bun:test";
import { RawClient } from "@aldis/testkit";
import { USER_FIELDS } from "../../src/users/config.ts";
import { ANN, idsOf, openUsers, people } from "./open-users.ts";

describe("[US3] visibility", () => {
  test("nobody sees anybody unless it is configured: who is there is answered like who is not", async () => {
    await using gateway = await openUsers();
    const { ann, bob } = await people(gateway);
    for (const user of ["ann", "cid", "nobody-of-this-name"]) {
      expect((await bob.refused("get_user", { user })).code).toBe("not_found");
      expect(await bob.must("search_users", { q: user })).toEqual({ users: [] });
    }
    expect(idsOf(await bob.must("get_connected_users"))).toEqual(["bob"]);
    expect(await ann.must("get_user", { user: "ann" })).toEqual({
      id: "ann",
      ...ANN,
      online: true,
      lastSeenAt: expect.any(Number),
    });
    expect(idsOf(await ann.must("search_users", { q: "lee exam" }))).toEqual(["ann"]);
    expect(idsOf((await gateway.call("GET", "/api/users/online")).body)).toEqual(["ann", "bob"]);
  });

  for (const field of USER_FIELDS) {
    test(`${field} is told, searched and inferred only where it is listed`, async () => {
      await using gateway = await openUsers({ visibility: "everybody", fields: [field] });
      const { bob } = await people(gateway);
      const token = await gateway.token({ sub: "bob" });
      const told: Record<string, unknown> = { ...ANN, online: true };
      const expected = field in told ? { id: "ann", [field]: told[field] } : { id: "ann" };
      const { lastSeenAt: _, ...shown } = await bob.must("get_user", { user: "ann" });
      expect(shown).toEqual(expected);
      const found = async (q: string) => idsOf(await bob.must("search_users", { q }));
      const searches = [await found("ann"), await found("lee"), await found("example")];
      const where = (is: boolean) => (is ? ["ann"] : []);
      expect(searches).toEqual([["ann"], where(field === "name"), where(field === "email")]);
      const connected = idsOf(await bob.must("get_connected_users"));
      expect(connected).toEqual([...where(field === "online"), "bob"]);
      const path = "/api/users/by-email/ann@example.com";
      const byEmail = await gateway.call("GET", path, undefined, token);
      expect(byEmail.status).toBe(field === "email" ? 200 : 404);
    });
  }

  test("a tenant may have settings of its own, and anonymous users see themselves alone", async () => {
    await using gateway = await openUsers(
      { visibility: "everybody", tenants: { acme: { visibility: "nobody" } } },
      { config: { namespaces: { open: { allow: { subscribe: ["anonymous"] } } } } },
    );
    const { ann } = await people(gateway);
    expect(idsOf(await ann.must("get_connected_users"))).toEqual(["ann", "bob"]);
    const eve = await gateway.connect({ sub: "eve", tenant: "acme" });
    const mal = await gateway.connect({ sub: "mal", tenant: "acme" });
    expect(idsOf(await eve.must("get_connected_users"))).toEqual(["eve"]);
    expect((await mal.refused("get_user", { user: "eve" })).code).toBe("not_found");
    const guest = await RawClient.open(gateway.wsUrl);
    guest.send("connect", {});
    await guest.next("welcome");
    expect((await guest.refused("get_user", { user: "ann" })).code).toBe("not_found");
    expect(idsOf(await guest.must("search_users", { q: "ann" }))).toEqual([]);
    expect((await guest.refused("block_user", { user: "ann" })).code).toBe("forbidden");
    expect(idsOf(await ann.must("get_connected_users"))).toEqual(["ann", "bob"]);
  });

  test("[US4] pages hold each once, in order of id", async () => {
    await using gateway = await openUsers({ visibility: "everybody" });
    const ids = Array.from({ length: 12 }, (_, n) => `u${n}`);
    const clients = await Promise.all(ids.map((sub) => gateway.connect({ sub })));
    await gateway.connect({ sub: "u3" });
    const found: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await clients[0]?.must("get_connected_users", { limit: 5, cursor });
      found.push(...idsOf(page));
      if (page.next === undefined) break;
      cursor = page.next;
    }
    expect(found).toEqual(ids.toSorted());
    const wrong = await clients[0]?.refused("get_connected_users", { cursor: "e30" });
    expect(wrong.code).toBe("bad_request");
  });

  test("lists have a rate of their own, which is told", async () => {
    await using gateway = await openUsers({ listsBurst: 2, listsPerSecond: 0.1 });
    const ann = await gateway.connect({ sub: "ann" });
    const token = await gateway.token({ sub: "ann" });
    await ann.must("get_connected_users");
    expect((await gateway.call("GET", "/api/users/search?q=a", undefined, token)).status).toBe(200);
    const refusal = await ann.refused("search_users", { q: "a" });
    expect([refusal.code, refusal.retryAfterMs > 0]).toEqual(["rate_limited", true]);
    expect((await gateway.call("GET", "/api/users/online", undefined, token)).status).toBe(429);
    expect((await gateway.call("GET", "/api/users/online")).status).toBe(200);
  });
});
