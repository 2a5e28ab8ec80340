import { describe, expect, test } from "bun:test";
import { type TestClaims, type TestClient, tokenOf, World } from "./test/world.ts";

function advance(world: World, client: TestClient, ms: number): void {
  const until = world.clock.monotonicMs() + ms;
  while (client.wakeAtMs <= until && client.closed === undefined) {
    world.clock.advance(Math.max(0, client.wakeAtMs - world.clock.monotonicMs()));
    client.session.onTokenDue(world.clock.monotonicMs());
    client.wakeAtMs = client.session.tokenDueMs;
  }
  if (client.closed === undefined) world.clock.advance(until - world.clock.monotonicMs());
}

async function connected(claims: TestClaims = {}) {
  const world = new World();
  const ann = await world.connect(claims);
  const whom = (user: string) => ({ tenant: ann.session.identity.tenant, to: { user } });
  const ask = (withinMs?: number, user = "ann") => world.deps.reach.refresh(whom(user), withinMs);
  return { world, ann, ask };
}

/** Of the fake clock, that tokens are written by. */
const startMs = new World().clock.nowMs();

describe("Session: a backend asks for a new token", () => {
  test("[AU9] who does not bring one in time is closed with 4002", async () => {
    const { world, ann, ask } = await connected();
    expect(await ask(10_000)).toEqual({ connections: 1, missing: [] });
    expect(ann.pushes("refresh")).toEqual([{ expiresInMs: 10_000 }]);
    advance(world, ann, 9_999);
    expect(ann.closed).toBeUndefined();
    advance(world, ann, 1);
    expect([ann.pushes("refresh").length, ann.closed]).toEqual([1, "badToken"]);
  });

  test("[AU9] the time is that of AU6 unless given", async () => {
    const { ann, ask } = await connected();
    await ask();
    expect(ann.pushes("refresh")).toEqual([{ expiresInMs: 30_000 }]);
  });

  test("[AU9] a new token ends the wait, and what it does not allow", async () => {
    const { world, ann, ask } = await connected();
    for (const channel of ["chat:a", "chat:b"]) await ann.must("subscribe", { channel });
    await ask(10_000);
    const token = tokenOf({ capabilities: { "chat:b": ["subscribe"] } });
    expect(await ann.must("refresh", { token })).toEqual({});
    expect(ann.pushes("unsubscribe")).toEqual([{ channel: "chat:a", code: "forbidden" }]);
    advance(world, ann, 3_600_000);
    expect([ann.closed, ann.session.tokenWanted]).toEqual([undefined, false]);
  });

  test.each<[string, TestClaims]>([
    ["another user's", { sub: "eve" }],
    ["a refused", { bad: true }],
  ])("[AU9] %s token does not end the wait", async (_, claims) => {
    const { world, ann, ask } = await connected();
    await ask(10_000);
    expect(await ann.refusal("refresh", { token: tokenOf(claims) })).toBe("unauthorized");
    advance(world, ann, 10_000);
    expect(ann.closed).toBe("badToken");
  });

  test("[AU9] the token's own end stays where it is earlier, and a later call gives no more time", async () => {
    const { world, ann, ask } = await connected({ expiresAtMs: startMs + 8_000 });
    await ask(10_000);
    advance(world, ann, 3_000);
    await ask(60_000);
    expect(ann.pushes("refresh")).toEqual([{ expiresInMs: 8_000 }, { expiresInMs: 5_000 }]);
    advance(world, ann, 5_000);
    expect(ann.closed).toBe("badToken");
  });

  test("[AU9] a later call may give less", async () => {
    const { world, ann, ask } = await connected();
    await ask(60_000);
    await ask(2_000);
    advance(world, ann, 2_000);
    expect(ann.closed).toBe("badToken");
  });

  test("[AU9] faults 13: a clock that is set back gives no more time", async () => {
    const { world, ann, ask } = await connected();
    await ask(10_000);
    world.clock.setWallClock(startMs - 3_600_000);
    advance(world, ann, 10_000);
    expect(ann.closed).toBe("badToken");
  });

  test("[AU9] anonymous users have no token to bring, and are left out", async () => {
    const world = new World({ namespaces: { open: { allow: { subscribe: ["anonymous"] } } } });
    const anon = world.open();
    anon.say("connect", {});
    await anon.settle();
    const { tenant, userId } = anon.session.identity;
    const asked = await world.deps.reach.refresh({ tenant, to: { user: userId } }, 1_000);
    expect(asked).toEqual({ connections: 0, missing: [] });
    advance(world, anon, 5_000);
    expect([anon.pushes("refresh"), anon.closed]).toEqual([[], undefined]);
  });

  test("[AU9] the session is not resumed without a token, and one that was asked is asked again", async () => {
    const { world, ann, ask } = await connected();
    await ask(10_000);
    const alone = await world.resume(ann);
    expect([alone.closed, ann.closed]).toEqual(["badToken", undefined]);
    advance(world, ann, 10_000);
    expect((await world.resume(ann)).closed).toBe("badToken");
    const back = await world.connect({}, ann.credential);
    expect(back.welcome["resumed"]).toBe(true);
    expect(back.pushes("refresh")).toEqual([{ expiresInMs: 30_000 }]);
    await back.must("refresh", { token: tokenOf({}) });
    back.break();
    expect((await world.resume(back)).welcome["resumed"]).toBe(true);
  });
});
