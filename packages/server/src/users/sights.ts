// Who was seen and is not written yet, and who is known to be written. Bounded; all in memory.
import type { Clock, TenantId } from "../plugins/index.ts";
import type { UsersConfig } from "./config.ts";
import { type Profile, sameProfile } from "./profile.ts";

/** Somebody who is to be written. */
export type Sight = {
  readonly tenant: TenantId;
  readonly userId: string;
  readonly claims: Profile;
  /** Unix milliseconds. */
  readonly seenAtMs: number;
  /** They have gone: to be written only if they are not back by then. Undefined: they came. */
  readonly leftUntilMs: number | undefined;
};

export type SightsDeps = {
  readonly clock: Clock;
  isHere(tenant: TenantId, userId: string): boolean;
  count(event: "not_queued"): void;
};

type Settings = Pick<UsersConfig, "queueMax" | "knownMax" | "seenIntervalMs">;
type Known = Omit<Sight, "leftUntilMs">;

/** A tenant id holds no `/`. */
export function nameOf({ tenant, userId }: Pick<Sight, "tenant" | "userId">): string {
  return `${tenant}/${userId}`;
}

export class Sights {
  readonly #deps: SightsDeps;
  readonly #settings: Settings;
  /** By tenant and user; those that left in the order in which their time comes, apart from the others. */
  readonly #due = new Map<string, Sight>();
  readonly #leaving = new Map<string, Sight>();
  /** Written as it says. The one written last stands last. */
  readonly #known = new Map<string, Known>();
  #nextLookAtMs = 0;

  constructor(deps: SightsDeps, settings: Settings) {
    this.#deps = deps;
    this.#settings = settings;
  }

  get waiting(): number {
    return this.#due.size + this.#leaving.size;
  }

  came(sight: Sight): void {
    const name = nameOf(sight);
    this.#leaving.delete(name);
    const former = this.#known.get(name);
    const isWritten =
      former !== undefined &&
      sight.seenAtMs - former.seenAtMs < this.#settings.seenIntervalMs &&
      sameProfile(former.claims, sight.claims);
    if (!isWritten) this.#enqueue(this.#due, name, sight);
  }

  left(sight: Sight): void {
    this.#enqueue(this.#leaving, nameOf(sight), sight);
  }

  forget(tenant: TenantId, userId: string): void {
    const name = nameOf({ tenant, userId });
    for (const line of [this.#due, this.#leaving, this.#known]) line.delete(name);
  }

  remember(name: string, { tenant, userId, claims, seenAtMs }: Known): void {
    this.#known.delete(name);
    this.#known.set(name, { tenant, userId, claims, seenAtMs });
    if (this.#known.size <= this.#settings.knownMax) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** Those whose time has come and who are not back are due. */
  takeLeft(nowMs: number): void {
    for (const [name, sight] of this.#leaving) {
      if ((sight.leftUntilMs ?? 0) > nowMs) return;
      this.#leaving.delete(name);
      const { tenant, userId } = sight;
      if (!this.#deps.isHere(tenant, userId))
        this.#due.set(name, this.#leftAfterComing(name, sight));
    }
  }

  /** Those who stay are due again and again; the others are forgotten, since their coming back has to be written anyway. */
  takeThoseWhoStay(nowMs: number): void {
    const { seenIntervalMs } = this.#settings;
    if (nowMs < this.#nextLookAtMs) return;
    this.#nextLookAtMs = nowMs + seenIntervalMs / 10;
    for (const [name, one] of this.#known) {
      if (nowMs - one.seenAtMs < seenIntervalMs) continue;
      this.#known.delete(name);
      if (this.#due.has(name) || !this.#deps.isHere(one.tenant, one.userId)) continue;
      this.#enqueue(this.#due, name, {
        ...one,
        seenAtMs: Math.round(nowMs),
        leftUntilMs: undefined,
      });
    }
  }

  takeBatch(max: number): ReadonlyMap<TenantId, readonly Sight[]> {
    const batch = new Map<TenantId, Sight[]>();
    let left = max;
    for (const [name, sight] of this.#due) {
      if (left-- === 0) break;
      this.#due.delete(name);
      const others = batch.get(sight.tenant);
      if (others === undefined) batch.set(sight.tenant, [sight]);
      else others.push(sight);
    }
    return batch;
  }

  /** It could not be written. What was seen since counts. */
  putBack(sight: Sight): void {
    const name = nameOf(sight);
    if (!this.#due.has(name)) this.#enqueue(this.#due, name, sight);
  }

  /** Who came and went while nothing could be written is still to be written as somebody who came. */
  #leftAfterComing(name: string, left: Sight): Sight {
    const came = this.#due.get(name);
    return came === undefined ? left : { ...left, leftUntilMs: came.leftUntilMs };
  }

  /** Attack: tokens of ever new users while the store is away. */
  #enqueue(line: Map<string, Sight>, name: string, sight: Sight): void {
    if (!line.has(name) && this.waiting >= this.#settings.queueMax) {
      return this.#deps.count("not_queued");
    }
    line.delete(name);
    line.set(name, sight);
  }
}
