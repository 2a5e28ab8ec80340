import type { Collection, Db } from "mongodb";
import type { Clock, Timer } from "../../time/clock.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { LOCKS } from "./documents.ts";

const LOCK = "migrate";

/** A holder that has not renewed it for so long has died; measured by the clock of who waits, as clocks of nodes differ. */
const LEASE_MS = 15_000;
const RENEW_MS = 3_000;
const LOOK_MS = 250;

/** `beats` grows with each renewal. */
type Lock = { _id: string; holder: string; beats: number };

/** The holder of a lock that is free. */
const NOBODY = "";

/** A lock over all nodes, until it is disposed of. */
export type Lease = AsyncDisposable & {
  /** Throws `StoreUnavailable` when another node has taken it over: this one stood still for too long. */
  check(): Promise<void>;
};

export type LeaseDeps = {
  readonly clock: Clock;
  readonly holder: string;
  readonly isOver: () => boolean;
};

/** Waits for it as long as it takes, and takes it over from a holder that died. Rejects when nobody waits any more. */
export async function holdLease(deps: LeaseDeps, database: Db): Promise<Lease> {
  const locks = database.collection<Lock>(LOCKS);
  await makeLock(locks);
  let seen = await read(locks);
  let seenAtMs = deps.clock.monotonicMs();
  for (;;) {
    if (deps.isOver()) throw new StoreUnavailable("the store was closed");
    const isDead = deps.clock.monotonicMs() - seenAtMs >= LEASE_MS;
    if (seen.holder === NOBODY || isDead) {
      const mine = { holder: deps.holder, beats: seen.beats + 1 };
      if (await change(locks, seen, mine)) return held(deps, locks, mine);
    }
    await pause(deps.clock);
    const now = await read(locks);
    if (now.beats === seen.beats) continue;
    seen = now;
    seenAtMs = deps.clock.monotonicMs();
  }
}

type Held = Pick<Lock, "holder" | "beats">;

function held({ clock, holder }: LeaseDeps, locks: Collection<Lock>, taken: Held): Lease {
  let known: Held = taken;
  let isLost = false;
  let timer: Timer | undefined;
  let renewing: Promise<void> = Promise.resolve();

  /** One after another: each has to know what the one before it made of it. */
  function renew(): Promise<void> {
    const renewed = renewing.then(async () => {
      if (isLost) return;
      const next = { holder, beats: known.beats + 1 };
      if (await change(locks, known, next)) known = next;
      else isLost = true;
    });
    renewing = renewed.catch(() => {});
    return renewed;
  }

  function renewLater(): void {
    timer = clock.setTimer(RENEW_MS, () => {
      // When MongoDB is away, who checks it is told.
      void renew().catch(() => {});
      renewLater();
    });
  }

  renewLater();
  return {
    async check() {
      await renew();
      if (isLost) throw new StoreUnavailable("another node has taken over setting up the store");
    },
    async [Symbol.asyncDispose]() {
      timer?.cancel();
      await renewing;
      if (isLost) return;
      // When MongoDB is away now, others take it over in time.
      await change(locks, known, { holder: NOBODY, beats: known.beats + 1 }).catch(() => {});
    },
  };
}

async function makeLock(locks: Collection<Lock>): Promise<void> {
  const free = { $setOnInsert: { holder: NOBODY, beats: 0 } };
  try {
    await locks.updateOne({ _id: LOCK }, free, { upsert: true });
  } catch (error) {
    // Two made it at once.
    if ((error as { readonly code?: unknown }).code !== 11_000) throw error;
  }
}

async function read(locks: Collection<Lock>): Promise<Held> {
  const lock = await locks.findOne({ _id: LOCK });
  if (lock === null) throw new StoreUnavailable("the lock of the store was removed");
  return lock;
}

/** Whether it still was as it is known. */
async function change(locks: Collection<Lock>, known: Held, next: Held): Promise<boolean> {
  const asKnown = { _id: LOCK, beats: known.beats };
  return (await locks.updateOne(asKnown, { $set: next })).matchedCount === 1;
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(LOOK_MS, resolve);
  });
}
