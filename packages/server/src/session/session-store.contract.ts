import { describe, expect, test } from "bun:test";
import { createFakeClock, type FakeClock } from "@aldis/testkit";
import { draft, tenant } from "../broker/broker.contract.ts";
import type { ParkedSession } from "./parking.ts";
import type { SessionStore, SessionStoreOptions } from "./session-store.ts";

function parked(userId: string, of = "default"): ParkedSession {
  return {
    identity: {
      tenant: tenant(of),
      userId,
      name: "Ann",
      email: undefined,
      avatar: undefined,
      anonymous: false,
      capabilities: { exact: new Map(), prefixes: [{ prefix: "chat:", rights: 3 }] },
      expiresAtMs: undefined,
    },
    granted: undefined,
    subscriptions: [
      {
        name: draft({ channel: "chat:a" }).channel,
        place: { offset: 7, epoch: "e" },
        slow: "latest",
      },
      { name: draft({ channel: "chat:b" }).channel, place: undefined, slow: undefined },
    ],
  };
}

/** Every SessionStore must pass this; call it once per implementation. */
export function sessionStoreContract(
  name: string,
  open: (clock: FakeClock, options: SessionStoreOptions) => SessionStore,
): void {
  function bench(options: Partial<SessionStoreOptions> = {}) {
    const clock = createFakeClock();
    return { clock, store: open(clock, { resumeMs: 10_000, parkedMax: 100, ...options }) };
  }

  describe(`SessionStore: ${name}`, () => {
    test("[SE1] gives out what was parked, whole", async () => {
      const { store } = bench();
      store.park("s1", parked("ann"));
      store.park("s2", parked("bob"));
      expect(await store.take("s1", () => true)).toEqual(parked("ann"));
    });

    test("[SE7] a session is taken once, however many ask at once", async () => {
      const { store } = bench();
      store.park("s1", parked("ann"));
      const taken = await Promise.all([
        store.take("s1", () => true),
        store.take("s1", () => true),
        store.take("s1", () => true),
      ]);
      expect(taken.filter((one) => one !== undefined).length).toBe(1);
      expect(await store.take("s1", () => true)).toBeUndefined();
    });

    test("[SE6] unknown sessions are not there", async () => {
      const { store } = bench();
      for (const id of ["", "s1", "__proto__", "constructor"])
        expect(await store.take(id, () => true)).toBeUndefined();
    });

    test("[SE1] parked again, the later one holds, with its time begun anew", async () => {
      const { store, clock } = bench();
      store.park("s1", parked("ann"));
      clock.advance(9_000);
      store.park("s1", parked("ann 2"));
      clock.advance(9_999);
      expect((await store.take("s1", () => true))?.identity.userId).toBe("ann 2");
    });

    test("[SE1] is over after its time, to the millisecond", async () => {
      const { store, clock } = bench();
      store.park("s1", parked("ann"));
      // Not in step with the first: what is over is not only found when it is swept up.
      clock.advance(500);
      for (const id of ["s2", "s3"]) store.park(id, parked("bob"));
      clock.advance(9_499);
      expect(await store.take("s1", () => true)).toBeDefined();
      clock.advance(500);
      expect(await store.take("s2", () => true)).toBeDefined();
      clock.advance(1);
      expect(await store.take("s3", () => true)).toBeUndefined();
    });

    test("faults 13: the wall clock decides nothing", async () => {
      const { store, clock } = bench();
      store.park("s1", parked("ann"));
      clock.setWallClock(clock.nowMs() + 3_600_000);
      clock.advance(5_000);
      expect(await store.take("s1", () => true)).toBeDefined();
      store.park("s2", parked("bob"));
      clock.setWallClock(clock.nowMs() - 7_200_000);
      clock.advance(10_000);
      expect(await store.take("s2", () => true)).toBeUndefined();
    });

    test("P3: at most `parkedMax`, the oldest go first", async () => {
      const { store } = bench({ parkedMax: 3 });
      for (const id of ["s1", "s2", "s3"]) store.park(id, parked(id));
      store.park("s1", parked("s1"));
      store.park("s4", parked("s4"));
      expect(store.size).toBe(3);
      expect(await store.take("s2", () => true)).toBeUndefined();
      for (const id of ["s1", "s3", "s4"]) expect(await store.take(id, () => true)).toBeDefined();
    });

    test("P3: a tenant that parks many sessions loses its own, the oldest first", async () => {
      const { store } = bench({ parkedMax: 10 });
      for (const id of ["a1", "a2"]) store.park(id, parked(id, "acme"));
      for (let n = 0; n < 50; n++) store.park(`g${n}`, parked("eve", "greedy"));
      for (const id of ["a3", "a4"]) store.park(id, parked(id, "acme"));
      expect(store.size).toBe(10);
      for (const id of ["a1", "a2", "a3", "a4", "g44", "g49"])
        expect(await store.take(id, () => true)).toBeDefined();
      for (const id of ["g0", "g43"]) expect(await store.take(id, () => true)).toBeUndefined();
    });

    test("P3: what is over is let go of without being asked for", () => {
      const { store, clock } = bench();
      for (let n = 0; n < 50; n++) {
        store.park(`s${n}`, parked("ann"));
        clock.advance(100);
      }
      clock.advance(20_000);
      expect([store.size, clock.pending]).toEqual([0, 0]);
    });

    test("`resumeMs` 0 keeps nothing, `parkedMax` 0 as well", async () => {
      for (const options of [{ resumeMs: 0 }, { parkedMax: 0 }]) {
        const { store } = bench(options);
        store.park("s1", parked("ann"));
        expect([store.size, await store.take("s1", () => true)]).toEqual([0, undefined]);
      }
    });

    test("closing leaves no timer behind", () => {
      const { store, clock } = bench();
      store.park("s1", parked("ann"));
      store.close();
      expect([store.size, clock.pending]).toEqual([0, 0]);
    });
  });
}
