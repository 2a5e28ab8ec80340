/**
 * What begins with the first that holds it and is over with the last, on all nodes together: sessions, channels with subscribers, members of channels. Every step is a record, written
 * in such an order that whoever dies between two of them leaves something by which another finds what is to be done: a hold is written first and removed last. Doing a step twice does no
 * harm. All methods reject with `Unavailable`: ask again then.
 */
import type { Records, TenantId } from "../../plugins/index.ts";
import type { RandomIds } from "../deps.ts";
import type { Recorder } from "../recorder.ts";
import type { About, HoldRecord, Kind, LifeRecord } from "./records.ts";
import { beganEvent, overEvent } from "./thing-events.ts";

export type Thing = { readonly tenant: TenantId; readonly kind: Kind; readonly name: string };

export type Taking = {
  readonly about: About;
  /** When it began, Unix milliseconds. */
  readonly cameAtMs: number;
  /** As long as it is true nobody is told that it begins; its end is. Asked again when it is written: meanwhile this node may have stood still, and others told its end. */
  silent(): boolean;
  /** It is gone by now: all that is left to do is to tell that it was here, unless somebody has said of it that it is over. */
  readonly isPast: boolean;
};

export type LivesDeps = {
  readonly random: RandomIds;
  readonly holds: Records<HoldRecord>;
  readonly lives: Records<LifeRecord>;
  readonly recorder: Pick<Recorder, "record">;
};

const LIFE_BYTES = 12;
/** What stands in a life's record of that it began: it is recorded; it began before anybody was to hear of it. */
const TOLD = 1;
const SILENT = 2;
/** Holders of one thing: no more than there are nodes. */
const HOLDERS_MAX = 1_000;

export class Lives {
  readonly #deps: LivesDeps;

  constructor(deps: LivesDeps) {
    this.#deps = deps;
  }

  /**
   * `holder` holds it from now on. Resolved: that is kept, and that it began is recorded, unless `silent`: it began before anybody was to hear of it. False: meanwhile its life may have
   * been over, as others have let go of it in this holder's name, or it is silent no more.
   */
  async take(thing: Thing, holder: string, taking: Taking): Promise<boolean> {
    const { holds, recorder, lives } = this.#deps;
    const { tenant, kind, name } = thing;
    // Before the life: a life that nobody holds would never end.
    const hold = { kind, name, holder };
    const { record } = await (taking.isPast ? holds.insert(tenant, hold) : holds.put(tenant, hold));
    if (record.leaving !== undefined) return false;
    const silent = taking.silent();
    const life = await this.#countIn(thing, taking, silent);
    // Whoever lets go of the hold from now on finds the life.
    const still = await holds.get(tenant, { kind, name, holder });
    const isLost = still === undefined || still.leaving !== undefined;
    if (isLost || (silent && !taking.silent())) {
      await this.#forgetSilent(thing, life);
      return false;
    }
    if (life.told !== undefined) return true;
    await recorder.record(tenant, beganEvent(life));
    await lives.update(tenant, { kind, name }, { told: TOLD }, { life: { is: life.life } });
    return true;
  }

  /** `holder` holds it no more, since `atMs`. Resolved: if nobody else does, that it is over is recorded. */
  async letGo(thing: Thing, holder: string, atMs: number): Promise<void> {
    await this.#leave(thing, holder, () => this.#endUnlessHeld(thing, atMs));
  }

  /** `holder` holds it no more, and nobody wants to hear of it: it is forgotten, not over. */
  async drop(thing: Thing, holder: string): Promise<void> {
    await this.#leave(thing, holder, () => this.#forgetUnlessHeld(thing));
  }

  /** As {@link letGo}, of what was taken without a word: a life that nobody else was counted in is forgotten. Others may have told that it is over before it was begun. */
  async retract(thing: Thing, holder: string, atMs: number): Promise<void> {
    const { tenant, kind, name } = thing;
    // As long as this one holds it nobody else ends it.
    const life = await this.#deps.lives.get(tenant, { kind, name });
    const holders = await this.#holders(thing);
    const others = holders.filter((each) => each.holder !== holder);
    if (life !== undefined && others.length === 0) await this.#forgetSilent(thing, life);
    await this.letGo(thing, holder, atMs);
  }

  async #leave(
    { tenant, kind, name }: Thing,
    holder: string,
    follow: () => Promise<void>,
  ): Promise<void> {
    const { holds } = this.#deps;
    const held = await holds.update(tenant, { kind, name, holder }, { leaving: 1 });
    // Also without it: others may have let go of it before the life was begun.
    await follow();
    if (held === undefined) return;
    await holds.remove(tenant, { kind, name, holder }, { leaving: { is: 1 } });
  }

  /** It is over, whoever else holds it: they let go later, and nothing comes of it. */
  async end(thing: Thing, holder: string, atMs: number): Promise<void> {
    const { holds } = this.#deps;
    const { tenant, kind, name } = thing;
    for (const other of await this.#holders(thing)) {
      if (other.holder === holder) continue;
      await holds.update(tenant, { kind, name, holder: other.holder }, { leaving: 1 });
    }
    await this.letGo(thing, holder, atMs);
  }

  /** A life that is not over, and that a hold that was just written is counted in. */
  async #countIn(
    thing: Thing,
    { about, cameAtMs: at }: Taking,
    silent: boolean,
  ): Promise<LifeRecord> {
    const { lives, random } = this.#deps;
    const { tenant, kind, name } = thing;
    // After an end that is told, whoever is there is told to have begun.
    let told = silent ? { told: SILENT } : {};
    for (;;) {
      const life = { kind, name, life: random.id(LIFE_BYTES), stamp: 1, at, about, ...told };
      const { written, record } = await lives.insert(tenant, life);
      if (written) return record;
      if (record.over !== undefined) {
        await this.#conclude(tenant, record);
        told = {};
        continue;
      }
      const change = { stamp: record.stamp + 1 };
      const counted = await lives.update(tenant, { kind, name }, change, asItIs(record));
      if (counted !== undefined) return counted;
    }
  }

  /** Whoever takes it meanwhile has changed the stamp, and is seen at the next attempt; or finds it over, and begins another life. */
  async #endUnlessHeld(thing: Thing, atMs: number): Promise<void> {
    const { lives } = this.#deps;
    const { tenant, kind, name } = thing;
    for (;;) {
      const life = await lives.get(tenant, { kind, name });
      if (life === undefined) return;
      if (life.over !== undefined) return this.#conclude(tenant, life);
      if ((await this.#holders(thing)).length > 0) return;
      const over = Math.max(life.at, Math.floor(atMs));
      const ended = await lives.update(tenant, { kind, name }, { over }, asItIs(life));
      if (ended !== undefined) return this.#conclude(tenant, ended);
    }
  }

  async #forgetSilent({ tenant, kind, name }: Thing, life: LifeRecord): Promise<void> {
    if (life.told !== SILENT || life.stamp !== 1) return;
    await this.#deps.lives.remove(tenant, { kind, name }, asItIs(life));
  }

  /** As above: whoever takes it meanwhile keeps the life, or begins another. */
  async #forgetUnlessHeld(thing: Thing): Promise<void> {
    const { lives } = this.#deps;
    const { tenant, kind, name } = thing;
    for (;;) {
      const life = await lives.get(tenant, { kind, name });
      if (life === undefined) return;
      const isOver = life.over !== undefined;
      if (isOver) return this.#conclude(tenant, life);
      if ((await this.#holders(thing)).length > 0) return;
      if (await lives.remove(tenant, { kind, name }, asItIs(life))) return;
    }
  }

  /** It was decided that it is over: by this node, or by one that may have died before it told that, or even that it had begun. */
  async #conclude(tenant: TenantId, life: LifeRecord): Promise<void> {
    const { recorder, lives } = this.#deps;
    const { kind, name, over } = life;
    if (life.told === undefined) await recorder.record(tenant, beganEvent(life));
    await recorder.record(tenant, overEvent(life, over ?? life.at));
    await lives.remove(tenant, { kind, name }, { life: { is: life.life } });
  }

  /** Those that are not letting go. */
  async #holders({ tenant, kind, name }: Thing): Promise<readonly HoldRecord[]> {
    return await this.#deps.holds.list(tenant, {
      index: "key",
      same: { kind, name },
      where: { leaving: { is: undefined } },
      limit: HOLDERS_MAX,
    });
  }
}

function asItIs({ life, stamp }: LifeRecord) {
  return { life: { is: life }, stamp: { is: stamp }, over: { is: undefined } };
}
