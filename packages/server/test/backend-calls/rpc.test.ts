/** [BC1]–[BC4]: clients call their tenant's backend. */
import { expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { openWorld } from "./support.ts";

test("[BC1] [BC2] [BC3] a call is posted with who asks, signed, and its result is the reply", async () => {
  await using world = await openWorld(({ data }) => ({ result: { sum: data.a + data.b } }));
  const { gateway, backend, clock } = world;
  await world.set();
  const claims = { sub: "ann", name: "Ann", email: "ann@example.com" };
  const ann = await gateway.connect(claims);
  const input = { method: "math.add", data: { a: 1, b: 2 } };
  expect(await ann.must("rpc", input)).toEqual({ result: { sum: 3 } });
  const [asked] = backend.asked;
  expect(asked?.body).toEqual({
    id: expect.stringMatching(/^bc_[\w-]{16}$/),
    type: "rpc",
    tenant: "default",
    at: clock.nowMs(),
    user: { id: "ann", name: "Ann", email: "ann@example.com" },
    connection: expect.any(String),
    ...input,
  });
  expect(asked?.headers.get("webhook-id")).toBe(asked?.body.id);
  expect(asked?.headers.get("content-type")).toBe("application/json");
  expect(backend.forged).toEqual([]);
});

test("[BC4] that the backend says no is an answer of its own; what is no answer is `unavailable`", async () => {
  await using world = await openWorld(({ method }) => answers.get(method));
  const big = "x".repeat(300_000);
  const answers = new Map<string, unknown>([
    ["no", { error: { code: "sold_out", message: "none left", data: { left: 0 } } }],
    ["short", { error: { code: "x" } }],
    ["nothing", new Response(null, { status: 204 })],
    ["null", { result: null }],
    ["html", new Response("<html>")],
    ["list", []],
    ["oddError", { error: "no" }],
    ["oddCode", { error: { code: 7, message: "" } }],
    ["big", { result: big }],
    ["redirect", new Response(null, { status: 302, headers: { location: "http://127.0.0.1/" } })],
    ["bad", Response.json({ result: 1 }, { status: 400 })],
    ["utf8", new Response(new Uint8Array([0x22, 0xff, 0x22]))],
    ["deep", new Response(`{"result":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)],
  ]);
  await world.set();
  const ann = await world.gateway.connect({ sub: "ann" });
  expect(await ann.must("rpc", { method: "no" })).toEqual({
    error: { code: "sold_out", message: "none left", data: { left: 0 } },
  });
  expect(await ann.must("rpc", { method: "short" })).toEqual({ error: { code: "x", message: "" } });
  expect(await ann.must("rpc", { method: "nothing" })).toEqual({ result: null });
  expect(await ann.must("rpc", { method: "null" })).toEqual({ result: null });
  for (const method of ["html", "list", "oddError", "oddCode", "big", "redirect", "bad", "utf8"]) {
    expect([method, (await ann.refused("rpc", { method })).code]).toEqual([method, "unavailable"]);
  }
  expect((await ann.refused("rpc", { method: "deep" })).code).toBe("unavailable");
  expect(await world.counted("no_answer")).toBe(6);
});

test("[BC1] what is no call is refused, and so is one where there is no backend, or none for it", async () => {
  await using world = await openWorld(() => ({ result: 1 }));
  const ann = await world.gateway.connect({ sub: "ann" });
  expect((await ann.refused("rpc", { method: "m" })).code).toBe("not_found");
  await world.set({ rpc: false });
  expect((await ann.refused("rpc", { method: "m" })).code).toBe("not_found");
  await world.set();
  const wrong = [
    ...[{}, { method: "" }, { method: 1 }, { method: "a b" }, { method: "9" }, { method: "é" }],
    ...[{ method: "m".repeat(129) }, { method: "m\r\n" }],
    ...[
      { method: "m", idempotencyKey: "a\r\nb: c" },
      { method: "m", idempotencyKey: "" },
    ],
  ];
  for (const input of wrong) {
    expect((await ann.refused("rpc", input)).code).toBe("bad_request");
  }
  expect(world.backend.asked).toEqual([]);
});

test("P2 [BC7]: a tenant's backend is asked for that tenant alone", async () => {
  await using world = await openWorld(() => ({ result: "ours" }));
  await world.set();
  const stranger = await world.gateway.connect({ sub: "ann", tenant: "other" });
  expect((await stranger.refused("rpc", { method: "m" })).code).toBe("not_found");
  expect(world.backend.asked).toEqual([]);
});

test("[BC4] P4: an answer that was lost is asked for again only with an idempotency key, which goes with it", async () => {
  let lost = 0;
  await using world = await openWorld(() => {
    if (lost-- > 0) return new Response(null, { status: 500 });
    return { result: "done" };
  });
  const { backend, clock } = world;
  await world.set();
  const ann = await world.gateway.connect({ sub: "ann" });
  lost = 1;
  expect((await ann.refused("rpc", { method: "pay" })).code).toBe("unavailable");
  expect(backend.asked).toHaveLength(1);
  lost = 1;
  const paid = ann.must("rpc", { method: "pay", idempotencyKey: "k-1" });
  await eventually("it to be asked again", () => {
    // Far less than it may take: a clock that runs ahead of what is under way would end it.
    clock.advance(10);
    return backend.asked.length === 3;
  });
  expect(await paid).toEqual({ result: "done" });
  const [, one, two] = backend.asked;
  expect(two?.body).toEqual(one?.body);
  expect(two?.headers.get("idempotency-key")).toBe("k-1");
  expect(two?.body.idempotencyKey).toBe("k-1");
});

test("P3 [BC4]: a user's calls are so many a minute and so many at a time; one who waits holds up nobody else", async () => {
  const never = new Promise<Response>(() => {});
  await using world = await openWorld(({ user }) => (user.id === "slow" ? never : { result: 1 }), {
    backendCalls: { rpcPerUser: 2, rpcPerUserPerMinute: 5 },
  });
  const { gateway, backend, clock } = world;
  await world.set();
  const slow = await gateway.connect({ sub: "slow" });
  const hanging = [1, 2].map(() => slow.refused("rpc", { method: "m" }));
  await eventually("both to be there", () => backend.underWay === 2);
  expect((await slow.refused("rpc", { method: "m" })).code).toBe("unavailable");
  const ann = await gateway.connect({ sub: "ann" });
  for (let n = 0; n < 5; n++) await ann.must("rpc", { method: "m" });
  const refused = await ann.refused("rpc", { method: "m" });
  expect(refused.code).toBe("rate_limited");
  expect(refused.retryAfterMs).toBeGreaterThan(0);
  clock.advance(5_000);
  for (const { code } of await Promise.all(hanging)) expect(code).toBe("unavailable");
});

test("P5 [BC4]: a backend that is down is left alone for a while, then tried by one", async () => {
  let isDown = true;
  await using world = await openWorld(
    () => (isDown ? new Response(null, { status: 503 }) : { result: 1 }),
    { backendCalls: { breakerFailures: 3, breakerOpenMs: 1_000 } },
  );
  const { backend, clock } = world;
  await world.set();
  const ann = await world.gateway.connect({ sub: "ann" });
  for (let n = 0; n < 10; n++) await ann.refused("rpc", { method: "m" });
  expect(backend.asked).toHaveLength(3);
  expect(await world.counted("left_alone")).toBe(7);
  isDown = false;
  clock.advance(10_000);
  expect(await ann.must("rpc", { method: "m" })).toEqual({ result: 1 });
  const said = world.gateway.logged.map((line) => JSON.parse(line));
  const lines = said.filter(({ msg }) => String(msg).startsWith("a backend"));
  expect(lines.map(({ msg, why }) => [msg, why])).toEqual([
    ["a backend gave no answer", "status"],
    ["a backend gave no answer", "status"],
    ["a backend is left alone for a while", undefined],
    ["a backend gave no answer", "status"],
    ["a backend answers again", undefined],
  ]);
  expect(lines.every(({ tenant, type }) => tenant === "default" && type === "rpc")).toBe(true);
  // Another backend starts anew.
  isDown = true;
  for (let n = 0; n < 3; n++) await ann.refused("rpc", { method: "m" });
  isDown = false;
  await world.set({ timeoutMs: 1_000 });
  expect(await ann.must("rpc", { method: "m" })).toEqual({ result: 1 });
});
