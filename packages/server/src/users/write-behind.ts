// What connections tell of users, written later and together. Called by the hooks `connected` and `disconnected`.
import { type Clock, type Identity, type TenantId, Unavailable } from "../plugins/index.ts";
import type { ProfileRecord } from "./collections.ts";
import type { UsersConfig } from "./config.ts";
import { type Directory, type Draft, NO_PROFILE } from "./directory.ts";
import { claimsOf, type Profile, sameProfile } from "./profile.ts";
import { nameOf, type Sight, Sights } from "./sights.ts";

export type WriteBehindDeps = {
  readonly clock: Clock;
  readonly directory: Pick<Directory, "getMany" | "edit" | "markSeen">;
  isHere(tenant: TenantId, userId: string): boolean;
  /** Which of these other nodes have. */
  elsewhere(tenant: TenantId, userIds: readonly string[]): Promise<ReadonlySet<string>>;
  count(event: "profile_written" | "seen_written" | "not_queued" | "write_failed"): void;
};

export type WriteBehindSettings = Pick<
  UsersConfig,
  "writeIntervalMs" | "writesPerSecond" | "queueMax" | "knownMax" | "seenIntervalMs" | "lingerMs"
>;

/** Read together. */
const BATCH = 500;
/** Written at the same time. Each is up to 73 records, and what waits for a store has a bound. */
const PIECE = 25;

/**
 * Attack, and every morning: all users come back at once. Who is known here, with the same claims, and was written a while ago costs nothing; the others are read together, and only
 * what has changed is written, so many in a second. What is not written yet when a process is killed is lost: users who were never here before come with their next connection.
 */
export class WriteBehind {
  readonly #deps: WriteBehindDeps;
  readonly #settings: WriteBehindSettings;
  readonly #sights: Sights;
  #running: Promise<void> | undefined;

  constructor(deps: WriteBehindDeps, settings: WriteBehindSettings) {
    this.#deps = deps;
    this.#settings = settings;
    this.#sights = new Sights(deps, settings);
  }

  connected(identity: Identity): void {
    if (!identity.anonymous) this.#sights.came(this.#sightOf(identity));
  }

  disconnected(identity: Identity): void {
    if (identity.anonymous) return;
    const leftUntilMs = this.#deps.clock.nowMs() + this.#settings.lingerMs;
    this.#sights.left({ ...this.#sightOf(identity), leftUntilMs });
  }

  /** A backend has removed the user: it is not known any more that they were written. */
  forget(tenant: TenantId, userId: string): void {
    this.#sights.forget(tenant, userId);
  }

  /** Writes what is due, as many as may be in the time between two calls. */
  flush(): Promise<void> {
    const { writesPerSecond, writeIntervalMs } = this.#settings;
    return this.#flush(Math.ceil((writesPerSecond * writeIntervalMs) / 1_000));
  }

  /** Everyone who left counts at once. What the store does not take is lost. */
  async close(): Promise<void> {
    await this.#running;
    this.#sights.takeLeft(Number.POSITIVE_INFINITY);
    await this.#flush(this.#settings.queueMax);
  }

  get waiting(): number {
    return this.#sights.waiting;
  }

  #sightOf(identity: Identity): Sight {
    const { tenant, userId } = identity;
    const seenAtMs = Math.round(this.#deps.clock.nowMs());
    return { tenant, userId, claims: claimsOf(identity), seenAtMs, leftUntilMs: undefined };
  }

  /** One after another: two at once would write the same user. */
  #flush(max: number): Promise<void> {
    this.#running ??= this.#flushSome(max).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #flushSome(max: number): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    this.#sights.takeLeft(nowMs);
    this.#sights.takeThoseWhoStay(nowMs);
    for (let left = max; left > 0; left -= BATCH) {
      const batch = this.#sights.takeBatch(Math.min(BATCH, left));
      if (batch.size === 0) return;
      const written = await Promise.all(
        [...batch].map(([tenant, sights]) => this.#writeAll(tenant, sights)),
      );
      if (written.includes(false)) return;
    }
  }

  /** False: the store is away; they wait for it. */
  async #writeAll(tenant: TenantId, sights: readonly Sight[]): Promise<boolean> {
    const { directory, count } = this.#deps;
    try {
      const wanted = await this.#withoutThoseElsewhere(tenant, sights);
      const userIds = wanted.map(({ userId }) => userId);
      const records = await directory.getMany(tenant, userIds);
      for (let start = 0; start < wanted.length; start += PIECE) {
        const piece = wanted.slice(start, start + PIECE);
        await allOf(piece.map((sight, n) => this.#write(sight, records[start + n])));
      }
      return true;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      count("write_failed");
      // Those that were written are found unchanged.
      for (const sight of sights) this.#sights.putBack(sight);
      return false;
    }
  }

  /** Who has only moved to another node has not gone: a rolling restart writes nothing. */
  async #withoutThoseElsewhere(
    tenant: TenantId,
    sights: readonly Sight[],
  ): Promise<readonly Sight[]> {
    const left = sights.filter(({ leftUntilMs }) => leftUntilMs !== undefined);
    if (left.length === 0) return sights;
    const userIds = left.map(({ userId }) => userId);
    const away = await this.#deps.elsewhere(tenant, userIds);
    return sights.filter((one) => one.leftUntilMs === undefined || !away.has(one.userId));
  }

  async #write(sight: Sight, record: ProfileRecord | undefined): Promise<void> {
    const { directory, count } = this.#deps;
    const { claims, seenAtMs, leftUntilMs } = sight;
    // Whoever a backend has removed comes back by connecting, not by leaving.
    if (record === undefined && leftUntilMs !== undefined) return;
    if (record === undefined || !sameProfile(record.claimed, claims)) {
      const edit = (now: ProfileRecord | undefined) => seenAs(now, claims, seenAtMs);
      await directory.edit(sight, edit, { known: record });
      count("profile_written");
    } else if (this.#isOld(record, sight)) {
      await directory.markSeen(sight, seenAtMs);
      count("seen_written");
    } else {
      return this.#sights.remember(nameOf(sight), { ...sight, seenAtMs: record.lastSeenAt });
    }
    this.#sights.remember(nameOf(sight), sight);
  }

  #isOld({ lastSeenAt }: ProfileRecord, { seenAtMs, leftUntilMs }: Sight): boolean {
    if (leftUntilMs !== undefined) return seenAtMs > lastSeenAt;
    return seenAtMs - lastSeenAt >= this.#settings.seenIntervalMs;
  }
}

/** Waits for all, also when one fails: what is under way then is not begun again beside itself. */
async function allOf(writes: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(writes)).find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function seenAs(now: ProfileRecord | undefined, claimed: Profile, seenAtMs: number): Draft {
  if (now === undefined) {
    return { claimed, given: NO_PROFILE, data: undefined, lastSeenAt: seenAtMs };
  }
  const { given, data, lastSeenAt } = now;
  return { claimed, given, data, lastSeenAt: Math.max(lastSeenAt, seenAtMs) };
}
