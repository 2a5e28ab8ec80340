/** What is changed about endpoints is told to the audit before it is changed, and never with a secret. */
import { expect, test } from "bun:test";
import { isUnavailable } from "../plugins/host/plugin-faults.ts";
import { ACME, createWorld, type TestNode } from "./test/world.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const PATH = "/api/webhooks/{endpoint}";

/** Everything that changes an endpoint, or shows its secret. */
const CHANGES = [
  ["put", PATH, { url: "https://receiver.example/other?token=hush" }, "webhook.changed"],
  ["get", `${PATH}/secret`, {}, "webhook.secret_shown"],
  ["post", `${PATH}/rotate-secret`, { secret: SECRET }, "webhook.secret_rotated"],
  ["post", `${PATH}/pause`, {}, "webhook.paused"],
  ["post", `${PATH}/enable`, {}, "webhook.enabled"],
  ["post", `${PATH}/dead/replay`, {}, "webhook.replayed"],
  ["delete", `${PATH}/dead`, {}, "webhook.dead_removed"],
  ["delete", PATH, {}, "webhook.removed"],
] as const;

const added = (node: TestNode) =>
  node.add({ types: ["a.b"], secret: SECRET, headers: { "X-Mine": "hush" } });

test("[TN6] each change of an endpoint is in the audit with whoever made it, without any secret", async () => {
  await using world = await createWorld();
  const node = world.node();
  const { endpoint } = await added(node);
  for (const [method, path, body] of CHANGES) {
    await node.http(method, path, { params: { endpoint }, body });
  }
  const by = { key: "key-of-tests" };
  expect(world.audited.map(({ action }) => action)).toEqual([
    "webhook.added",
    ...CHANGES.map(([, , , action]) => action),
  ]);
  for (const entry of world.audited) {
    expect(entry).toMatchObject({ tenant: ACME, by, subject: endpoint });
  }
  expect(world.audited[0]?.detail).toMatchObject({
    ...{ origin: "https://receiver.example", types: ["a.b"] },
  });
  const text = JSON.stringify(world.audited);
  expect([text.includes("hush"), text.includes(SECRET)]).toEqual([false, false]);
});

test("[TN6] faults 9: nothing is changed that the audit could not be told of", async () => {
  await using world = await createWorld();
  const node = world.node();
  const { endpoint } = await added(node);
  const shown = () => node.http("get", PATH, { params: { endpoint } });
  const before = await shown();
  world.auditAway = true;
  const refused = await Promise.all(
    [
      added(node),
      ...CHANGES.map(([method, path, body]) =>
        node.http(method, path, { params: { endpoint }, body }),
      ),
    ].map((asked: Promise<unknown>) => asked.then(() => "done", isUnavailable)),
  );
  expect(refused.every((outcome) => outcome === true)).toBe(true);
  expect(await shown()).toEqual(before);
  const { endpoints } = await node.http<{ endpoints: object[] }>("get", "/api/webhooks");
  expect([endpoints.length, world.audited.length]).toEqual([1, 1]);
});

test("[TN6] what is refused, or is not there, is in no audit", async () => {
  await using world = await createWorld();
  const node = world.node();
  const { endpoint } = await added(node);
  const outcomes = [
    node.add({ url: "http://receiver.example/" }),
    node.http("put", PATH, { params: { endpoint }, body: { url: "https://else.example/" } }),
    node.http("post", `${PATH}/pause`, { params: { endpoint: "we_none" } }),
  ].map((asked) =>
    asked.then(
      () => "done",
      () => "refused",
    ),
  );
  expect(await Promise.all(outcomes)).toEqual(["refused", "refused", "refused"]);
  await node.http("delete", PATH, { params: { endpoint: "we_none" } });
  expect(world.audited.map(({ action }) => action)).toEqual(["webhook.added"]);
});
