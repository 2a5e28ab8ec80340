import { expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { createClient } from "../src/index.ts";
import { type BlockedUsersPush, users } from "../src/users.ts";
import { startDurable } from "./support/durable.ts";

test("[US4] [US5] [US6] [US7] users are found, and blocked on one device they are on the other", async () => {
  await using gateway = await startDurable({
    users: { visibility: "everybody", writeIntervalMs: 10, listsPerSecond: 1_000 },
  });
  async function device(sub: string, name: string) {
    const token = await gateway.token({ sub, name });
    const client = createClient({ url: gateway.wsUrl, token, use: { users } });
    client.connect();
    await client.ready();
    return Object.assign(client, { [Symbol.dispose]: () => client.close() });
  }
  using ann = await device("ann", "Ann Lovelace");
  using phone = await device("ann", "Ann Lovelace");
  using bob = await device("bob", "Bob");
  const told: BlockedUsersPush[] = [];
  const stop = phone.users.onBlocked((change) => told.push(change));
  await eventually("ann is in the directory", async () => {
    const found = await bob.users.search("love");
    return found.users[0]?.id === "ann";
  });
  expect(await bob.users.get("ann")).toMatchObject({ id: "ann", name: "Ann Lovelace" });
  expect(await bob.users.get("nobody").catch(({ code }) => code)).toBe("not_found");
  const { users: here } = await bob.users.connected({ limit: 10 });
  expect(here.map(({ id }) => id)).toEqual(["ann", "bob"]);
  await ann.users.block("bob");
  await eventually("the phone is told", () => told.length === 1);
  expect(told).toEqual([{ user: "bob", blocked: true }]);
  expect((await ann.users.blocked()).users).toMatchObject([{ id: "bob" }]);
  stop();
  await ann.users.unblock("bob");
  expect((await ann.users.blocked()).users).toEqual([]);
  expect(told).toHaveLength(1);
});
