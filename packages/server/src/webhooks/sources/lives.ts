/**
 * What begins with the first that holds it and is over with the last, on all nodes together: sessions, channels with subscribers, members of channels. Every step is a record, written
 * in such an order that whoever dies between two of them leaves something by which another finds what is to be done: a hold is written first and removed last. Doing a step twice does no
 * harm. All methods reject with `Unavailable`: ask again then.
 */
import type { Clock, Records, TenantId } from "../../plugins/index.ts";
import type { RandomIds } from "../deps.ts";
import type { Recorder } from "../recorder.ts";
import type { About, HoldRecord, Kind, LifeRecord } from "./records.ts";
import { beganEvent, overEvent } from "./thing-events.ts";

export type Thing = { readonly tenant: TenantId; readonly kind: Kind; readonly name: string };

/** `silent`: nobody is told that it begins; its end is. */
export type Taking = { readonly about: About; readonly silent: boolean };

export type LivesDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly holds: Records<HoldRecord>;
  readonly lives: Records<LifeRecord>;
  readonly recorder: Pick<Recorder, "record">;
};

const LIFE_BYTES = 12;
/** Holders of one thing: no more than there are nodes. */
const HOLDERS_MAX = 1_000;

export class Lives {
  readonly #deps: LivesDeps;

  constructor(deps: LivesDeps) {
    this.#deps = deps;
  }

  /** `holder` holds it from now on. Resolved: that is kept, and that it began is recorded, unless `silent`: it began before anybody was to hear of it. */
  async take(thing: Thing, holder: string, { about, silent }: Taking): Promise<void> {
    const { tenant, kind, name } = thing;
    // Before the life: a life that nobody holds would never end.
    await this.#deps.holds.put(tenant, { kind, name, holder });
    const life = await this.#countIn(thing, { about, silent });
    if (life.told !== undefined) return;
    await this.#deps.recorder.record(tenant, beganEvent(life));
    const same = { life: { is: life.life } };
    await this.#deps.lives.update(tenant, { kind, name }, { told: 1 }, same);
  }

  /** `holder` holds it no more. Resolved: if nobody else does, that it is over is recorded. */
  async letGo(thing: Thing, holder: string): Promise<void> {
    const { holds } = this.#deps;
    const { tenant, kind, name } = thing;
    const held = await holds.update(tenant, { kind, name, holder }, { leaving: 1 });
    if (held === undefined) return;
    await this.#endUnlessHeld(thing);
    await holds.remove(tenant, { kind, name, holder }, { leaving: { is: 1 } });
  }

  /** `holder` holds it no more, and nobody wants to hear of it: it is forgotten, not over. */
  async drop(thing: Thing, holder: string): Promise<void> {
    const { holds } = this.#deps;
    const { tenant, kind, name } = thing;
    const held = await holds.update(tenant, { kind, name, holder }, { leaving: 1 });
    if (held === undefined) return;
    await this.#forgetUnlessHeld(thing);
    await holds.remove(tenant, { kind, name, holder }, { leaving: { is: 1 } });
  }

  /** It is over, whoever else holds it: they let go later, and nothing comes of it. */
  async end(thing: Thing, holder: string): Promise<void> {
    const { holds } = this.#deps;
    const { tenant, kind, name } = thing;
    for (const other of await this.#holders(thing)) {
      if (other.holder === holder) continue;
      await holds.update(tenant, { kind, name, holder: other.holder }, { leaving: 1 });
    }
    await this.letGo(thing, holder);
  }

  /** A life that is not over, and that a hold that was just written is counted in. */
  async #countIn(thing: Thing, { about, silent }: Taking): Promise<LifeRecord> {
    const { lives, clock, random } = this.#deps;
    const { tenant, kind, name } = thing;
    // After an end that is told, whoever is there is told to have begun.
    let told = silent ? { told: 1 } : {};
    for (;;) {
      const at = Math.floor(clock.nowMs());
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
  async #endUnlessHeld(thing: Thing): Promise<void> {
    const { lives, clock } = this.#deps;
    const { tenant, kind, name } = thing;
    for (;;) {
      const life = await lives.get(tenant, { kind, name });
      if (life === undefined) return;
      if (life.over !== undefined) return this.#conclude(tenant, life);
      if ((await this.#holders(thing)).length > 0) return;
      const over = Math.floor(clock.nowMs());
      const ended = await lives.update(tenant, { kind, name }, { over }, asItIs(life));
      if (ended !== undefined) return this.#conclude(tenant, ended);
    }
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
