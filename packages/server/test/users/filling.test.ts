/** The directory as tokens fill it, over real sockets (protocol.md US1, US2). */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@aldis/testkit";
import { openUsers } from "./open-users.ts";

type Gateway = Awaited<ReturnType<typeof openUsers>>;

async function untilFound(
  gateway: Gateway,
  id: string,
  wants = (_: Record<string, unknown>) => true,
) {
  return await eventually(`${id} to be in the directory`, async () => {
    const { body } = await gateway.call("GET", `/api/users?user=${id}`);
    const [user] = body.users;
    return user !== undefined && ("name" in user || "lastSeenAt" in user) && wants(user) && user;
  });
}

async function counted(gateway: Gateway, event: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const line = text
    .split("\n")
    .find(
      (one) =>
        one.startsWith("aldis_plugin_events_total") &&
        one.includes(`event="${event}"`) &&
        one.includes(`plugin="users"`),
    );
  return Number(line?.split(" ").at(-1) ?? 0);
}

describe("[US1] claims of tokens", () => {
  test("fill the directory; what a backend gave wins, until it is cleared", async () => {
    await using gateway = await openUsers();
    const claims = {
      sub: "ann",
      name: "Ann",
      email: "ann@example.com",
      picture: "https://example.com/a.png",
    };
    const first = await gateway.connect(claims);
    expect(await untilFound(gateway, "ann", ({ name }) => name === "Ann")).toMatchObject({
      name: "Ann",
      email: "ann@example.com",
      avatar: "https://example.com/a.png",
      online: true,
    });
    await first.close();
    await gateway.call("PUT", "/api/users/ann", { name: "Doctor Ann" });
    await gateway.connect({ ...claims, name: "Annie", email: "new@example.com" });
    const found = await untilFound(gateway, "ann", ({ email }) => email === "new@example.com");
    expect(found).toMatchObject({ name: "Doctor Ann" });
    await gateway.call("PUT", "/api/users/ann", { name: null });
    expect((await gateway.call("GET", "/api/users/ann")).body.name).toBe("Annie");
    const { users } = (await gateway.call("GET", "/api/users/search?q=annie")).body;
    expect(users.length).toBe(1);
  });

  test("of tenants apart, each their own", async () => {
    await using gateway = await openUsers();
    await gateway.connect({ sub: "ann", name: "Ann of here" });
    await gateway.connect({ sub: "ann", name: "Ann of acme", tenant: "acme" });
    expect(await untilFound(gateway, "ann", ({ name }) => name !== undefined)).toMatchObject({
      name: "Ann of here",
      nodes: 1,
    });
    expect((await gateway.call("GET", "/api/users/online")).body.users.length).toBe(1);
  });
});

test("[US2] last seen outlives a restart, online does not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "aldis-users-"));
  const config = { store: { url: `sqlite:${join(folder, "test.db")}` } };
  try {
    const before = Date.now();
    {
      await using gateway = await openUsers({}, { config });
      await gateway.connect({ sub: "ann", name: "Ann" });
      await untilFound(gateway, "ann", ({ name }) => name !== undefined);
    }
    await using again = await openUsers({}, { config });
    const { body } = await again.call("GET", "/api/users/ann");
    expect(body).toMatchObject({ online: false, nodes: 0 });
    expect(body.lastSeenAt >= before && body.lastSeenAt <= Date.now()).toBe(true);
    expect((await again.call("GET", "/api/users/online")).body.users).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("faults 17: a storm of users who come back is not a storm of writes", async () => {
  await using gateway = await openUsers({ lingerMs: 20_000, writesPerSecond: 100_000 });
  const ids = Array.from({ length: 1_500 }, (_, n) => `user-${n}`);
  const connectAll = async () => {
    const clients = [];
    for (let start = 0; start < ids.length; start += 100) {
      const some = ids.slice(start, start + 100).map((sub) => gateway.connect({ sub }));
      clients.push(...(await Promise.all(some)));
    }
    return clients;
  };
  const clients = await connectAll();
  await eventually(
    "all to be written",
    async () => (await counted(gateway, "profile_written")) === ids.length,
  );
  for (const client of clients) client.cut();
  await connectAll();
  await eventually("the others to be gone", async () => {
    const { body } = await gateway.call("GET", "/api/users?limit=1");
    return body.users[0].online;
  });
  expect(await counted(gateway, "profile_written")).toBe(ids.length);
  expect(await counted(gateway, "seen_written")).toBe(0);
}, 60_000);
