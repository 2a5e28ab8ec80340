/** [BC7]: which backend is called, by API and by config. */
import { expect, test } from "bun:test";
import { startTestGateway } from "@aldis/testkit";
import { openWorld, startBackend } from "./support.ts";

test("[BC7] is set, shown without its secret, set anew with the same one, and removed", async () => {
  await using world = await openWorld(() => ({ result: 1 }));
  const { gateway, backend } = world;
  const PATH = "/api/backend";
  expect((await gateway.call("GET", PATH)).status).toBe(404);
  const first = await gateway.call("PUT", PATH, { url: backend.url });
  expect(first.body).toEqual({
    ...{ url: backend.url, rpc: true, timeoutMs: 5_000, onFailure: "refuse" },
    ...{ subscribe: { namespaces: [] }, publish: { namespaces: [] } },
    secret: expect.stringMatching(/^whsec_/),
  });
  const { secret, ...shown } = first.body;
  expect((await gateway.call("GET", PATH)).body).toEqual(shown);
  const second = await gateway.call("PUT", PATH, { url: backend.url, timeoutMs: 100 });
  expect(second.body).toEqual({ ...shown, timeoutMs: 100 });
  backend.secret = secret;
  const ann = await gateway.connect({ sub: "ann" });
  await ann.must("rpc", { method: "m" });
  const own = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
  backend.secret = own;
  expect((await gateway.call("PUT", PATH, { url: backend.url, secret: own })).body.secret).toBe(
    own,
  );
  await ann.must("rpc", { method: "m" });
  expect(backend.forged).toEqual([]);
  expect((await gateway.call("DELETE", PATH)).body).toEqual({ removed: true });
  expect((await gateway.call("DELETE", PATH)).body).toEqual({ removed: false });
  expect((await ann.refused("rpc", { method: "m" })).code).toBe("not_found");
});

test("faults 12 [BC7]: what must not be called, or is none, is refused", async () => {
  await using world = await openWorld(() => ({}), { outbound: { allowPrivate: [] } });
  const wrong = [
    ...[{ url: world.backend.url }, { url: "https://10.0.0.1/" }, { url: "http://1.1.1.1/" }],
    ...[{ url: "https://localhost/" }, { url: "x" }, { url: "" }, {}],
    ...[{ timeoutMs: 10_001 }, { timeoutMs: 0 }, { onFailure: "ignore" }, { secret: "whsec_x" }],
    ...[{ subscribe: { namespaces: ["a:b"] } }, { publish: ["a"] }, { more: 1 }],
  ];
  for (const settings of wrong) {
    const body =
      "url" in settings || Object.keys(settings).length === 0
        ? settings
        : { url: "https://1.1.1.1/", ...settings };
    const { status } = await world.gateway.call("PUT", "/api/backend", body);
    expect([settings, status]).toEqual([settings, 400]);
  }
  expect((await world.gateway.call("GET", "/api/backend")).status).toBe(404);
});

test("[BC7] the default tenant's may stand in the config, without a store too, and then stays as it is", async () => {
  const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
  await using backend = startBackend(
    () => ({ result: "config" }),
    () => Date.now(),
  );
  backend.secret = secret;
  const config = {
    backendCalls: { url: backend.url, secret },
    outbound: { allowPrivate: ["127.0.0.1"] },
  };
  await using gateway = await startTestGateway({ config });
  const ann = await gateway.connect({ sub: "ann" });
  expect(await ann.must("rpc", { method: "m" })).toEqual({ result: "config" });
  expect(backend.forged).toEqual([]);
  await using world = await openWorld(() => ({ result: "api" }), config);
  expect((await world.gateway.call("PUT", "/api/backend", { url: backend.url })).status).toBe(409);
  expect(world.gateway.logged.join("")).not.toContain(secret);
});
