/** [NT3]: what waits for a user comes when they connect, over real sockets. */
import { expect, test } from "bun:test";
import { eventually, RawClient } from "@aldis/testkit";
import { startWithStore } from "./support.ts";

const PATH = "/api/notifications";

test("[NT3] what was sent while the user was away comes after welcome, and again until it is acknowledged", async () => {
  await using gateway = await startWithStore({ config: { notifications: { pieceSize: 2 } } });
  for (const title of ["a", "b", "c"]) await gateway.call("POST", PATH, { user: "ann", title });
  await gateway.call("POST", PATH, { user: "ann", title: "U", priority: "urgent" });
  await gateway.call("POST", PATH, { tenant: true, title: "all" });
  const first = await gateway.connect({ sub: "ann" });
  const [u, a] = [await first.next("notification"), await first.next("notification")];
  expect([u.data.title, a.data.title, a.data.more]).toEqual(["U", "a", true]);
  first.cut();
  const ann = await gateway.connect({ sub: "ann" });
  const titles: string[] = [];
  while (titles.length < 5) {
    const { data } = await ann.next("notification");
    titles.push(data.title);
    await ann.must("acknowledge_notification", { id: data.id });
  }
  expect(titles).toEqual(["U", "a", "b", "c", "all"]);
  expect(await ann.must("fetch_unacknowledged_notifications", {})).toEqual({
    notifications: [],
    unread: 0,
  });
});

test("[NT3] a resumed session is told what came meanwhile", async () => {
  await using gateway = await startWithStore();
  const first = await gateway.connect({ sub: "ann" });
  const { session } = first.welcome;
  first.cut();
  await eventually("it to be parked", () => gateway.gateway.ready);
  await gateway.call("POST", PATH, { user: "ann", title: "meanwhile" });
  const url = `${gateway.wsUrl}?token=${await gateway.token({ sub: "ann" })}`;
  const again = await RawClient.open(url);
  again.send("connect", { session });
  const pushed = await again.next("notification");
  expect(pushed.data.title).toBe("meanwhile");
});
