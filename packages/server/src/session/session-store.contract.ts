import { describe, expect, test } from "bun:test";
import type { FakeClock } from "@aldis/testkit";
import type { Awaitable } from "../awaitable.ts";
import { draft, tenant } from "../broker/broker.contract.ts";
import type { ParkedSession } from "./parking.ts";
import type { SessionStore, SessionStoreOptions, Wanted } from "./session-store.ts";
import type { LiveBook } from "./test/live-book.ts";

export function parked(userId: string, of = "default"): ParkedSession {
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

/** A session without how often it was taken, which not every store counts. */
export function formOf(session: ParkedSession | undefined): ParkedSession | undefined {
  if (session === undefined) return undefined;
  const { turn, ...form } = session;
  return form;
}

/** By the credential alone. */
export const ANYONE: Wanted = { bearer: undefined, nowMs: 0 };

/** With a token. */
export function bearer(userId: string, of = "default"): Wanted {
  return { bearer: { tenant: tenant(of), userId }, nowMs: 0 };
}

export type StoreBench = {
  readonly store: SessionStore;
  readonly clock: FakeClock;
  readonly live: LiveBook;
  /** Time passes, for the clock and for whatever else the store keeps time by. */
  advance(ms: number): Awaitable<void>;
  /** Before and after its time is over a session may be kept or not for so long. */
  readonly marginMs: number;
};

/** Every SessionStore must pass this; call it once per implementation. */
export function sessionStoreContract(
  name: string,
  open: (options: SessionStoreOptions) => Awaitable<StoreBench>,
): void {
  const bench = (options: Partial<SessionStoreOptions> = {}) =>
    open({ resumeMs: 10_000, parkedMax: 100, ...options });

  describe(`SessionStore: ${name}`, () => {
    test("[HT9] a user's parked sessions lose a channel, and nobody else's", async () => {
      const { store } = await bench();
      const granted = new Set(["chat:a", "chat:c"]);
      store.park("s1", { ...parked("ann"), granted });
      store.park("s2", parked("ann"));
      store.park("s3", parked("bob"));
      store.park("s4", parked("ann", "acme"));
      const { channel } = draft({ channel: "chat:a" });
      const whose = { tenant: tenant("default"), userId: "ann", channel };
      expect(store.withdraw(whose).map(([id]) => id)).toEqual(["s1", "s2"]);
      expect(store.withdraw(whose)).toEqual([]);
      const [a, b] = parked("ann").subscriptions;
      const ended = [{ ...a, ended: true as const }, b];
      expect(formOf(await store.take("s1", ANYONE))).toEqual({
        ...parked("ann"),
        granted: new Set(["chat:c"]),
        subscriptions: ended,
      } as ParkedSession);
      expect((await store.take("s2", ANYONE))?.subscriptions).toEqual(ended as never);
      expect(formOf(await store.take("s3", ANYONE))).toEqual(parked("bob"));
      expect(formOf(await store.take("s4", ANYONE))).toEqual(parked("ann", "acme"));
    });

    test("[AU9] of whom a new token is wanted is resumed with a token alone, and nobody else", async () => {
      const { store, live } = await bench();
      const anonymous = { ...parked("ann").identity, anonymous: true };
      store.park("s1", parked("ann"));
      store.park("s2", { ...parked("ann"), identity: anonymous });
      store.park("s3", parked("bob"));
      store.park("s4", parked("ann", "acme"));
      live.add("s5", { ...parked("ann"), tokenWanted: true });
      const whose = { tenant: tenant("default"), userId: "ann" };
      expect(store.requireToken(whose).map(([id]) => id)).toEqual(["s1"]);
      expect(store.requireToken(whose)).toEqual([]);
      for (const id of ["s1", "s5"]) {
        expect(await store.take(id, ANYONE)).toBeUndefined();
        expect(await store.take(id, bearer("bob"))).toBeUndefined();
        expect((await store.take(id, bearer("ann")))?.tokenWanted).toBe(true);
      }
      for (const id of ["s2", "s3", "s4"]) expect(await store.take(id, ANYONE)).toBeDefined();
    });

    test("[SE1] gives out what was parked, whole", async () => {
      const { store } = await bench();
      store.park("s1", parked("ann"));
      store.park("s2", parked("bob"));
      expect(formOf(await store.take("s1", ANYONE))).toEqual(parked("ann"));
    });

    test("[SE7] a session is taken once, however many ask at once", async () => {
      const { store } = await bench();
      store.park("s1", parked("ann"));
      const taken = await Promise.all([
        store.take("s1", ANYONE),
        store.take("s1", ANYONE),
        store.take("s1", ANYONE),
      ]);
      expect(taken.filter((one) => one !== undefined).length).toBe(1);
      expect(await store.take("s1", ANYONE)).toBeUndefined();
    });

    test("[SE7] a connected session is taken from its connection, as it stands", async () => {
      const { store, live } = await bench();
      const session = live.add("s1", parked("ann"));
      store.note(session, 2);
      session.stands = { ...parked("ann"), subscriptions: [] };
      expect(formOf(await store.take("s1", bearer("ann")))).toEqual(session.stands);
      expect([session.authenticated, live.size]).toEqual([false, 0]);
      expect(await store.take("s1", ANYONE)).toBeUndefined();
    });

    test("[SE2] P2: with a token its own user alone gets it; who asks for another's ends nothing", async () => {
      const { store, live } = await bench();
      store.park("s1", parked("ann"));
      live.add("s2", parked("ann"));
      for (const wanted of [bearer("bob"), bearer("ann", "other")]) {
        for (const id of ["s1", "s2"]) expect(await store.take(id, wanted)).toBeUndefined();
      }
      for (const id of ["s1", "s2"]) expect(await store.take(id, bearer("ann"))).toBeDefined();
    });

    test("[SE2] without a token it is given out until its own token ends", async () => {
      const { store } = await bench();
      const session = parked("ann");
      for (const id of ["s1", "s2", "s3"]) {
        store.park(id, { ...session, identity: { ...session.identity, expiresAtMs: 5_000 } });
      }
      expect(await store.take("s1", { bearer: undefined, nowMs: 4_999 })).toBeDefined();
      expect(await store.take("s2", { bearer: undefined, nowMs: 5_000 })).toBeUndefined();
      expect(await store.take("s2", { ...bearer("ann"), nowMs: 9_000 })).toBeDefined();
    });

    test("[SE6] unknown sessions are not there", async () => {
      const { store } = await bench();
      for (const id of ["", "s1", "__proto__", "constructor"])
        expect(await store.take(id, ANYONE)).toBeUndefined();
    });

    test("[SE8] what is over for good is not there any more", async () => {
      const { store } = await bench();
      store.park("s1", parked("ann"));
      store.end("s1");
      expect([await store.take("s1", ANYONE), store.size]).toEqual([undefined, 0]);
    });

    test("[SE1] parked again, the later one holds, with its time begun anew", async () => {
      const { store, advance, marginMs } = await bench();
      store.park("s1", parked("ann"));
      await advance(9_000);
      store.park("s1", parked("ann 2"));
      await advance(10_000 - marginMs);
      expect((await store.take("s1", ANYONE))?.identity.userId).toBe("ann 2");
    });

    test("[SE1] is over after its time", async () => {
      const { store, advance, marginMs } = await bench();
      store.park("s1", parked("ann"));
      // Not in step with the first: what is over is not only found when it is swept up.
      await advance(500);
      for (const id of ["s2", "s3"]) store.park(id, parked("bob"));
      await advance(9_500 - marginMs);
      expect(await store.take("s1", ANYONE)).toBeDefined();
      await advance(500);
      expect(await store.take("s2", ANYONE)).toBeDefined();
      await advance(marginMs);
      expect(await store.take("s3", ANYONE)).toBeUndefined();
    });

    test("faults 13: the wall clock decides nothing", async () => {
      const { store, clock, advance } = await bench();
      store.park("s1", parked("ann"));
      clock.setWallClock(clock.nowMs() + 3_600_000);
      await advance(5_000);
      expect(await store.take("s1", ANYONE)).toBeDefined();
      store.park("s2", parked("bob"));
      clock.setWallClock(clock.nowMs() - 7_200_000);
      await advance(10_000);
      expect(await store.take("s2", ANYONE)).toBeUndefined();
    });

    test("P3: at most `parkedMax`, the oldest go first", async () => {
      const { store } = await bench({ parkedMax: 3 });
      for (const id of ["s1", "s2", "s3"]) store.park(id, parked(id));
      store.park("s1", parked("s1"));
      store.park("s4", parked("s4"));
      expect(store.size).toBe(3);
      expect(await store.take("s2", ANYONE)).toBeUndefined();
      for (const id of ["s1", "s3", "s4"]) expect(await store.take(id, ANYONE)).toBeDefined();
    });

    test("P3: a tenant that parks many sessions loses its own, the oldest first", async () => {
      const { store } = await bench({ parkedMax: 10 });
      for (const id of ["a1", "a2"]) store.park(id, parked(id, "acme"));
      for (let n = 0; n < 50; n++) store.park(`g${n}`, parked("eve", "greedy"));
      for (const id of ["a3", "a4"]) store.park(id, parked(id, "acme"));
      expect(store.size).toBe(10);
      for (const id of ["a1", "a2", "a3", "a4", "g44", "g49"])
        expect(await store.take(id, ANYONE)).toBeDefined();
      for (const id of ["g0", "g43"]) expect(await store.take(id, ANYONE)).toBeUndefined();
    });

    test("P3: what is over is let go of without being asked for", async () => {
      const { store, clock } = await bench();
      for (let n = 0; n < 50; n++) {
        store.park(`s${n}`, parked("ann"));
        clock.advance(100);
      }
      clock.advance(20_000);
      expect([store.size, clock.pending]).toEqual([0, 0]);
    });

    test("`resumeMs` 0 keeps nothing, `parkedMax` 0 as well", async () => {
      for (const options of [{ resumeMs: 0 }, { parkedMax: 0 }]) {
        const { store } = await bench(options);
        store.park("s1", parked("ann"));
        expect([store.size, await store.take("s1", ANYONE)]).toEqual([0, undefined]);
      }
    });

    test("closing leaves no timer behind", async () => {
      const { store, live, clock } = await bench();
      store.park("s1", parked("ann"));
      store.note(live.add("s2", parked("ann")), 2);
      await store.close();
      expect([store.size, clock.pending]).toEqual([0, 0]);
    });
  });
}
