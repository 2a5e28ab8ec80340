/**
 * Who holds things, and lives. A node that has held anything gives a sign of life every so often; who gives none for `leaseMs`, as this node has seen it, is buried, and what it held is let
 * go, each kind after its grace time. A node that was buried alive goes on under another name. All of it goes by the store alone: a node that is cut off from the others and can still write
 * records is not taken for dead.
 */
import {
  type Clock,
  DEFAULT_TENANT,
  type PluginNodes,
  type Records,
  type Swept,
  type TenantId,
} from "../../plugins/index.ts";
import type { Lives } from "./lives.ts";
import { type BeatRecord, type HoldRecord, KINDS, type Kind, type PlaceRecord } from "./records.ts";

export type BeatsDeps = {
  readonly clock: Clock;
  readonly nodes: Pick<PluginNodes, "self" | "others">;
  readonly beats: Records<BeatRecord>;
  readonly places: Records<PlaceRecord>;
  readonly holds: Records<HoldRecord>;
  readonly lives: Pick<Lives, "letGo">;
  /** Whether things of a kind are over, `stillMs` after their holder's last sign of life. */
  isOver(tenant: TenantId, kind: Kind, stillMs: number): boolean;
  /** It is this node that was buried. */
  onBuried(): void;
  count(event: "holder_buried" | "thing_let_go"): void;
};

export type BeatsOptions = {
  readonly beatMs: number;
  readonly leaseMs: number;
};

/** What a holder that was slow to die may still have written is looked for until then. */
const TOMBSTONE_MS = 600_000;
const LOOK_AGAIN_MS = 60_000;
const PAGE = 500;
/** Things let go at the same time. */
const AT_ONCE = 50;
const HOLDERS_MAX = 10_000;
/** Times that count between two looks: beyond it this node was away itself. */
const STEP_BEATS = 2;

/** What a holder holds of one kind of one tenant. */
type Share = { readonly tenant: TenantId; readonly kind: Kind; readonly holder: string };

type Watched = { beat: number; stillMs: number; cleanedAtMs: number | undefined };

export class Beats {
  readonly #deps: BeatsDeps;
  readonly #options: BeatsOptions;
  #turn = 0;
  #beat = 0;
  /** Undefined: this node has not held anything yet. */
  #holder: string | undefined;
  #begun: Promise<string> | undefined;
  #places = new Set<TenantId>();
  readonly #watched = new Map<string, Watched>();
  #lookedAtMs: number | undefined;

  constructor(deps: BeatsDeps, options: BeatsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** What this node holds things of the tenant by. Resolved: whoever buries it finds them. */
  async holderFor(tenant: TenantId): Promise<string> {
    const holder = await this.#begin();
    const places = this.#places;
    if (!places.has(tenant)) {
      await this.#deps.places.insert(tenant, { holder });
      places.add(tenant);
    }
    return holder;
  }

  #begin(): Promise<string> {
    this.#begun ??= this.#insert().catch((error: unknown) => {
      this.#begun = undefined;
      throw error;
    });
    return this.#begun;
  }

  async #insert(): Promise<string> {
    const node = this.#deps.nodes.self;
    const holder = `${node}.${this.#turn}`;
    await this.#deps.beats.insert(DEFAULT_TENANT, { holder, node, beat: this.#beat });
    this.#holder = holder;
    return holder;
  }

  /** A sign of life, and a look at those of the others. Called every `beatMs`. Rejects with `Unavailable`. */
  async look(): Promise<void> {
    await this.#tellBeat();
    const all = await this.#deps.beats.list(DEFAULT_TENANT, { index: "key", limit: HOLDERS_MAX });
    const still = this.#watch(all);
    const living = all.filter(({ holder }) => (still.get(holder) ?? 0) < this.#options.leaseMs);
    const first = living.find(({ buried }) => buried === undefined)?.holder;
    // One of the living does it. Were it two, they would do the same.
    if (first !== undefined && first !== this.#holder) return;
    for (const beat of all) {
      const stillMs = still.get(beat.holder) ?? 0;
      if (beat.buried !== undefined) await this.#clean(beat, stillMs);
      else if (this.#isGone(beat, stillMs)) await this.#bury(beat);
    }
  }

  async #tellBeat(): Promise<void> {
    const holder = this.#holder;
    if (holder === undefined) return;
    this.#beat++;
    const change = { beat: this.#beat };
    const alive = { buried: { is: undefined } };
    const told = await this.#deps.beats.update(DEFAULT_TENANT, { holder }, change, alive);
    if (told !== undefined || this.#holder !== holder) return;
    this.#turn++;
    this.#holder = undefined;
    this.#begun = undefined;
    this.#places = new Set();
    this.#deps.onBuried();
  }

  /** How long each was seen without a new beat, by times in which this node looked. */
  #watch(all: readonly BeatRecord[]): ReadonlyMap<string, number> {
    const nowMs = this.#deps.clock.monotonicMs();
    const stepMs = Math.min(nowMs - (this.#lookedAtMs ?? nowMs), STEP_BEATS * this.#options.beatMs);
    this.#lookedAtMs = nowMs;
    const still = new Map<string, number>();
    for (const { holder, beat } of all) {
      const watched = this.#watched.get(holder);
      if (watched === undefined || watched.beat !== beat) {
        this.#watched.set(holder, { beat, stillMs: 0, cleanedAtMs: undefined });
      } else watched.stillMs += stepMs;
      still.set(holder, watched?.beat === beat ? watched.stillMs : 0);
    }
    for (const holder of this.#watched.keys()) if (!still.has(holder)) this.#watched.delete(holder);
    return still;
  }

  #isGone({ holder, node }: BeatRecord, stillMs: number): boolean {
    if (holder === this.#holder || stillMs < this.#options.leaseMs) return false;
    // One that the others hear may just not reach the store.
    return !this.#deps.nodes.others.includes(node);
  }

  /** From now on it holds nothing by this name: if it lives it sees that with its next beat. */
  async #bury({ holder, beat }: BeatRecord): Promise<void> {
    const buried = Math.floor(this.#deps.clock.nowMs());
    const same = { beat: { is: beat }, buried: { is: undefined } };
    const done = await this.#deps.beats.update(DEFAULT_TENANT, { holder }, { buried }, same);
    if (done === undefined) return;
    this.#deps.count("holder_buried");
    await this.#clean(done, this.#watched.get(holder)?.stillMs ?? 0);
  }

  async #clean({ holder, buried = 0 }: BeatRecord, stillMs: number): Promise<void> {
    const watched = this.#watched.get(holder);
    const nowMs = this.#deps.clock.monotonicMs();
    const isAgain = watched?.cleanedAtMs !== undefined;
    if (isAgain && nowMs - (watched?.cleanedAtMs ?? 0) < LOOK_AGAIN_MS) return;
    const tenants = await this.#tenantsOf(holder);
    const all = tenants.flatMap((tenant) => KINDS.map((kind) => ({ tenant, kind, holder })));
    const due = all.filter(({ tenant, kind }) => this.#deps.isOver(tenant, kind, stillMs));
    // One page of each in turns: who had very many there does not keep the others waiting.
    for (let left = due; left.length > 0; ) {
      const more: Share[] = [];
      for (const share of left) if (await this.#letGoSome(share)) more.push(share);
      left = more;
    }
    if (due.length < all.length) return;
    if (watched !== undefined) watched.cleanedAtMs = nowMs;
    if (this.#deps.clock.nowMs() - buried < TOMBSTONE_MS) return;
    for (const tenant of tenants) await this.#deps.places.remove(tenant, { holder });
    await this.#deps.beats.remove(DEFAULT_TENANT, { holder });
  }

  async #tenantsOf(holder: string): Promise<TenantId[]> {
    const tenants: TenantId[] = [];
    for (let after: Swept<PlaceRecord> | undefined; ; ) {
      const page = await this.#deps.places.sweep(after, PAGE);
      for (const { tenant, record } of page) if (record.holder === holder) tenants.push(tenant);
      after = page.at(-1);
      if (page.length < PAGE) return tenants;
    }
  }

  /** Whether there are more. */
  async #letGoSome({ tenant, kind, holder }: Share): Promise<boolean> {
    const { holds, lives, clock, count } = this.#deps;
    const same = { holder, kind };
    const held = await holds.list(tenant, { index: "holder", same, limit: AT_ONCE });
    const nowMs = clock.nowMs();
    await Promise.all(held.map(({ name }) => lives.letGo({ tenant, kind, name }, holder, nowMs)));
    if (held.length > 0) count("thing_let_go");
    return held.length === AT_ONCE;
  }
}
