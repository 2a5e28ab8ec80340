/** The directory over HTTP and by commands (protocol.md, Users). */
import { describe, expect, test } from "bun:test";
import { ACME_KEY, openUsers, READ_KEY } from "./open-users.ts";

const everybody = { visibility: "everybody" as const };

describe("what backends put there", () => {
  test("[US10] is found by id, address and words", async () => {
    await using gateway = await openUsers();
    const { call } = gateway;
    const given = { name: "Ann Lee", email: "Ann@Example.com", avatar: "a.png", data: { team: 1 } };
    const put = await call("PUT", "/api/users/ann", given);
    expect(put).toEqual({ status: 200, body: { id: "ann", ...given } });
    const ann = { id: "ann", ...given, online: false, nodes: 0 };
    expect((await call("GET", "/api/users/ann")).body).toEqual(ann);
    expect((await call("GET", "/api/users/by-email/aNN%40example.com")).body).toEqual(ann);
    for (const q of ["lee", "ANN", "ann lee", "exam", "ann%40ex"]) {
      expect((await call("GET", `/api/users/search?q=${q}`)).body).toEqual({ users: [ann] });
    }
    expect((await call("GET", "/api/users/online")).body).toEqual({ users: [] });
    expect((await call("GET", "/api/users/search?q=zoe")).body).toEqual({ users: [] });
    for (const path of ["/api/users/zoe", "/api/users/by-email/zoe@example.com"]) {
      expect((await call("GET", path)).status).toBe(404);
    }
  });

  test("[US10] fields that are left out stay, `null` clears; too much is refused", async () => {
    await using gateway = await openUsers({ dataMaxBytes: 10 });
    const { call } = gateway;
    await call("PUT", "/api/users/ann", { name: "Ann", email: "ann@example.com" });
    await call("PUT", "/api/users/ann", { name: null, data: [1] });
    expect((await call("PUT", "/api/users/ann", {})).body).toEqual({
      id: "ann",
      email: "ann@example.com",
      data: [1],
    });
    expect((await call("PUT", "/api/users/ann", { data: "x".repeat(20) })).body.error.code).toBe(
      "too_large",
    );
    expect((await call("PUT", "/api/users/ann", { name: 5 })).status).toBe(400);
    expect((await call("PUT", "/api/users/ann", { email: "x".repeat(400) })).status).toBe(400);
    expect((await call("GET", "/api/users/search?q=ann%20ann")).body.users.length).toBe(1);
    await call("PUT", "/api/users/ann", { email: null });
    expect((await call("GET", "/api/users/by-email/ann@example.com")).status).toBe(404);
    expect((await call("GET", "/api/users/search?q=exam")).body.users).toEqual([]);
  });

  test("[US10] a batch has a result for each, in order; the same user twice is two changes", async () => {
    await using gateway = await openUsers({ dataMaxBytes: 10 });
    const { call } = gateway;
    const { body } = await call("POST", "/api/users", {
      users: [
        { id: "ann", name: "Ann" },
        { id: "bob", data: "x".repeat(20) },
        { id: "ann", email: "a@b.c" },
      ],
    });
    expect(body.results).toEqual([
      { id: "ann", name: "Ann" },
      { error: expect.objectContaining({ code: "too_large" }) },
      { id: "ann", name: "Ann", email: "a@b.c" },
    ]);
    const many = Array.from({ length: 101 }, (_, n) => ({ id: `u${n}` }));
    expect((await call("POST", "/api/users", { users: many })).status).toBe(400);
    expect((await call("POST", "/api/users", { users: many.slice(1) })).body.results.length).toBe(
      100,
    );
  });

  test("[US10] all are listed in pages, each once; ids that are routes are asked for by `?user=`", async () => {
    await using gateway = await openUsers();
    const { call } = gateway;
    const ids = ["online", "search", "by-email", "a/b", "ä ö", "\ud800x", "ann"];
    await call("POST", "/api/users", { users: ids.map((id) => ({ id })) });
    const found: string[] = [];
    for (let cursor = ""; ; ) {
      const { body } = await call("GET", `/api/users?limit=2${cursor}`);
      found.push(...body.users.map(({ id }: { id: string }) => id));
      if (body.next === undefined) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(found.toSorted()).toEqual(ids.toSorted());
    for (const id of ["online", "search", "by-email"]) {
      expect((await call("GET", `/api/users?user=${id}`)).body.users[0].id).toBe(id);
    }
    expect((await call("GET", "/api/users/a%2Fb")).body.id).toBe("a/b");
    expect((await call("GET", "/api/users?user=zoe")).body).toEqual({ users: [] });
  });

  test("[US10] one address may be that of several", async () => {
    await using gateway = await openUsers();
    const { call } = gateway;
    await call("POST", "/api/users", {
      users: ["bob", "ann", "cid"].map((id) => ({ id, email: "Team@example.com" })),
    });
    const { body } = await call("GET", "/api/users/by-email/team@EXAMPLE.com");
    expect([body.id, body.sharedWith]).toEqual(["ann", ["bob", "cid"]]);
  });

  test("[US11] what was removed is not found by anything", async () => {
    await using gateway = await openUsers();
    const { call } = gateway;
    await call("PUT", "/api/users/ann", { name: "Ann", email: "ann@example.com" });
    await call("PUT", "/api/users/ann/blocked/bob");
    expect((await call("DELETE", "/api/users/ann")).body).toEqual({ removed: true });
    expect((await call("DELETE", "/api/users/ann")).body).toEqual({ removed: false });
    expect((await call("GET", "/api/users/ann/blocked")).body).toEqual({ users: [] });
    expect((await call("GET", "/api/users/search?q=ann")).body).toEqual({ users: [] });
    expect((await call("GET", "/api/users/by-email/ann@example.com")).status).toBe(404);
  });

  test("[US10] a key needs the scope `users`, and users change nothing", async () => {
    await using gateway = await openUsers(everybody);
    const { call } = gateway;
    const token = await gateway.token({ sub: "ann" });
    for (const path of [
      "/api/users",
      "/api/users/online",
      "/api/users/search?q=a",
      "/api/users/ann",
      "/api/users/ann/blocked",
    ]) {
      expect((await call("GET", path, undefined, READ_KEY)).status).toBe(403);
    }
    for (const [method, path] of [
      ["PUT", "/api/users/ann"],
      ["DELETE", "/api/users/ann"],
      ["GET", "/api/users"],
    ] as const) {
      expect([401, 403]).toContain(
        (await call(method, path, method === "PUT" ? {} : undefined, token)).status,
      );
    }
  });
});

describe("P2: tenants", () => {
  test("a user of another one is answered like one who is not there, whatever is asked", async () => {
    await using gateway = await openUsers(everybody);
    const { call } = gateway;
    const given = { name: "Ann Lee", email: "ann@example.com" };
    await call("PUT", "/api/users/ann", given);
    await call("PUT", "/api/users/ann/blocked/bob");
    const ask = async (method: string, path: string, key = ACME_KEY) => {
      const { status, body } = await call(method, path, undefined, key);
      return JSON.stringify([status, body]).replaceAll("ann", "X").replaceAll("zoe", "X");
    };
    for (const [method, path] of [
      ["GET", "/api/users/?"],
      ["GET", "/api/users?user=?"],
      ["GET", "/api/users/by-email/?@example.com"],
      ["GET", "/api/users/search?q=?"],
      ["GET", "/api/users/?/blocked"],
      ["DELETE", "/api/users/?/blocked/bob"],
      ["DELETE", "/api/users/?"],
    ] as const) {
      const there = await ask(
        method,
        path.replace("?", "ann").replace("users?user=ann", "users?user=ann"),
      );
      const absent = await ask(method, path.replace("?", "zoe"));
      expect(there).toBe(absent);
    }
    const token = await gateway.token({ sub: "eve", tenant: "acme" });
    expect(await ask("GET", "/api/users/ann", token)).toBe(
      await ask("GET", "/api/users/zoe", token),
    );
    const eve = await gateway.connect({ sub: "eve", tenant: "acme" });
    const refusals = [];
    for (const user of ["ann", "zoe"]) {
      for (const [action, data] of [
        ["get_user", { user }],
        ["search_users", { q: user }],
      ] as const) {
        const { id: _, ...answer } = await eve.ask(action, data);
        refusals.push(answer);
      }
    }
    expect(refusals[0]).toEqual(refusals[2]);
    expect(refusals[1]).toEqual(refusals[3]);
    await eve.close();
    expect((await call("GET", "/api/users/ann")).body.name).toBe("Ann Lee");
    // A cursor of one tenant says nothing in another.
    await call("PUT", "/api/users/anna", given);
    const { next } = (await call("GET", "/api/users/search?q=ann&limit=1")).body;
    expect(
      (await call("GET", `/api/users/search?q=ann&limit=1&cursor=${next}`, undefined, ACME_KEY))
        .status,
    ).toBe(400);
  });
});

test("faults 32: nothing that is asked for is taken for a command of the database", async () => {
  await using gateway = await openUsers();
  const { call } = gateway;
  const hostile = [
    "' OR '1'='1",
    "'; DROP TABLE users_profiles; --",
    "%",
    "_",
    "*",
    "\\",
    '{"$gt":""}',
    "$where",
    "ann\0",
    "\u{10ffff}",
    "__proto__",
    "..",
    "a\nb",
  ];
  await call("PUT", "/api/users/ann", { name: "Ann", email: "ann@example.com" });
  for (const text of hostile) {
    const q = encodeURIComponent(text);
    const found = await call("GET", `/api/users/search?q=${q}`);
    expect([found.status, found.body.users]).toEqual([
      200,
      text.startsWith("ann") ? [expect.objectContaining({ id: "ann" })] : [],
    ]);
    expect((await call("GET", `/api/users/by-email/${q}`)).status).toBe(404);
    if (text !== "..") expect((await call("GET", `/api/users/${q}`)).status).toBe(404);
    for (const path of ["/api/users", "/api/users/online", "/api/users/ann/blocked"]) {
      expect((await call("GET", `${path}?cursor=${q}`)).status).toBe(400);
    }
    expect(
      (await call("PUT", `/api/users/${encodeURIComponent(`u-${text}`)}`, { name: text })).status,
    ).toBe(200);
  }
  expect((await call("GET", "/api/users/ann")).status).toBe(200);
  expect((await call("GET", "/api/users?limit=100")).body.users.length).toBe(hostile.length + 1);
});
