import { expect, test } from "bun:test";
import type { Identity } from "../auth/identity.ts";
import type { Session } from "./session.ts";
import { World } from "./test/world.ts";

const COUNT = 100;
/** The collector takes words on the stack that look like references for some: a few live on for a while. */
const STRAY_MAX = 10;
const TURNS_MAX = 50;

type Traces = { readonly sessions: WeakRef<Session>[]; readonly identities: WeakRef<Identity>[] };

/** Connects, subscribes, and breaks off; nothing of it is held by the test. */
async function comeAndGo(world: World, round: number): Promise<Traces> {
  const traces: Traces = { sessions: [], identities: [] };
  for (let i = 0; i < COUNT; i++) {
    const client = await world.connect({ sub: `user-${round}-${i}` });
    await client.must("subscribe", { channel: `room:${i % 7}` });
    traces.sessions.push(new WeakRef(client.session));
    traces.identities.push(new WeakRef(client.session.identity));
    client.break();
  }
  return traces;
}

/** How many the collector leaves; it goes on while that is more than `enough`. */
async function living(refs: readonly WeakRef<object>[], enough: number): Promise<number> {
  for (let turn = 0; ; turn++) {
    // What was looked at through a weak reference lives to the end of that turn.
    await new Promise((resolve) => setImmediate(resolve));
    Bun.gc(true);
    const count = refs.filter((ref) => ref.deref() !== undefined).length;
    if (count <= enough || turn === TURNS_MAX) return count;
  }
}

test("P3: a broken session is kept without its connection, and when its time is over nothing of it is left", async () => {
  const world = new World();
  for (let round = 1; round <= 3; round++) {
    const { sessions, identities } = await comeAndGo(world, round);
    expect(await living(sessions, STRAY_MAX)).toBeLessThanOrEqual(STRAY_MAX);
    expect(world.deps.parked.size).toBe(COUNT);
    expect(await living(identities, COUNT)).toBe(COUNT);

    world.clock.advance(122_000);
    expect(await living(identities, STRAY_MAX)).toBeLessThanOrEqual(STRAY_MAX);
    const { parked, live, hub, presence } = world.deps;
    expect([parked.size, live.size, hub.channelCount, presence.memberCount]).toEqual([0, 0, 0, 0]);
  }
});
