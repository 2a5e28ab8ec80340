/**
 * Keeps what a node knows of tenants as it stands in the store: all of it at the start, then what the log of changes tells, at once when another node says so and every
 * `pollMs` besides, and all of it again every `reloadMs`. While the store is away, what is known stays known.
 */
import type { NodeBus } from "../cluster/node-bus.ts";
import type { Log } from "../observe/log.ts";
import type { Records } from "../store/store.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { Unavailable } from "../unavailable.ts";
import { createTurns, type InTurn } from "./in-turn.ts";
import {
  CHANGE_LOG,
  type ChangeRecord,
  DIRECTORY,
  type KeyRecord,
  KINDS,
  type Kind,
  type NamespaceRecord,
  type TenantRecord,
  type TokenSecretRecord,
} from "./records.ts";
import { type Followed, reloadKind } from "./reload.ts";
import { parseTenantId, type TenantId } from "./tenant.ts";

/** All kinds of record, with where they go. */
export type FollowedKinds = {
  readonly tenant: Followed<TenantRecord>;
  readonly key: Followed<KeyRecord>;
  readonly "token-secret": Followed<TokenSecretRecord>;
  readonly namespace: Followed<NamespaceRecord>;
};

export type FollowerDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly bus: NodeBus;
  readonly kinds: FollowedKinds;
  readonly changes: Records<ChangeRecord>;
};

export type FollowerOptions = {
  /** Undefined: there are no other nodes to hear of. */
  readonly pollMs: number | undefined;
  readonly reloadMs: number;
};

const CHANGED = "tenants.changed";
const PAGE = 1_000;
/** After the first reading has failed. */
const RETRY_MS = 500;
/** Reading everything takes no more than this part of the time. */
const RELOAD_SHARE = 20;

export class Follower {
  readonly #deps: FollowerDeps;
  readonly #options: FollowerOptions;
  readonly #inTurn: InTurn = createTurns();
  /** The latest change of the log that was read. */
  #seq = 0;
  #loaded = false;
  #reloadAtMs = 0;
  #readAtMs = 0;
  #touched: Set<string> | undefined;
  #timer: Timer | undefined;
  #working = false;
  #nudged = false;
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  constructor(deps: FollowerDeps, options: FollowerOptions) {
    this.#deps = deps;
    this.#options = options;
    deps.bus.on(CHANGED, () => {
      this.#nudged = true;
      this.#workSoon(0);
    });
  }

  /** Whether all was read once: before, nothing is known of tenants that are not configured. */
  get isLoaded(): boolean {
    return this.#loaded;
  }

  /** Resolves when all was read once. */
  loaded(): Promise<void> {
    if (this.#loaded) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The store is open. */
  start(): void {
    this.#workSoon(0);
  }

  /**
   * Makes a change, in turn with what this node reads: `write` gives the record as it then stands. It is known here when this resolves, in the log, and others are told. When it
   * rejects, the change may have been made: it is found when all is read again.
   */
  change<T>(run: (step: Step) => Promise<T>): Promise<T> {
    return this.#inTurn(() =>
      run({ applied: (...what) => this.#apply(...what), log: (entry) => this.#log(entry) }),
    );
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #log(entry: Omit<ChangeRecord, "log" | "seq" | "at">): Promise<void> {
    const { changes, clock, bus } = this.#deps;
    const at = clock.nowMs();
    await changes.append(DIRECTORY, { ...entry, log: CHANGE_LOG, seq: 0, at });
    bus.broadcast(CHANGED, {});
  }

  #apply<K extends Kind>(
    kind: K,
    owner: TenantId,
    id: string,
    record: RecordOfKind<K> | undefined,
  ): void {
    this.#touched?.add(nameOf(kind, owner, id));
    const { sink } = this.#deps.kinds[kind] as unknown as Followed<RecordOfKind<K>>;
    sink.apply(owner, id, record);
  }

  #workSoon(delayMs: number): void {
    if (this.#closed || this.#working) return;
    this.#timer?.cancel();
    if (delayMs === 0) void this.#work();
    else this.#timer = this.#deps.clock.setTimer(delayMs, () => void this.#work());
  }

  async #work(): Promise<void> {
    this.#working = true;
    this.#nudged = false;
    let waitMs = this.#options.pollMs ?? this.#options.reloadMs;
    try {
      if (this.#deps.clock.monotonicMs() >= this.#reloadAtMs) await this.#reload();
      else await this.#inTurn(() => this.#readLog());
    } catch (error) {
      // Away, as others see and say as well: what is known stays known, and the next time is soon.
      if (!(error instanceof Unavailable))
        this.#deps.log.error({ err: error }, "tenants could not be read");
      if (!this.#loaded) waitMs = RETRY_MS;
    }
    this.#working = false;
    this.#workSoon(this.#nudged ? 0 : waitMs);
  }

  async #reload(): Promise<void> {
    const { clock, kinds, changes } = this.#deps;
    const startedMs = clock.monotonicMs();
    const touched = new Set<string>();
    this.#touched = touched;
    try {
      const [latest] = await changes.list(DIRECTORY, {
        ...{ index: "key", same: { log: CHANGE_LOG } },
        ...{ order: "descending", limit: 1 },
      });
      // From here on: what comes later is read by the log, and again.
      const seq = latest?.seq ?? 0;
      for (const kind of KINDS) {
        await reloadKind(kinds[kind] as unknown as Followed<TenantRecord>, {
          inTurn: this.#inTurn,
          isTouched: (owner, id) => touched.has(nameOf(kind, owner, id)),
          between: () => this.#readLogIfDue(),
        });
      }
      this.#seq = Math.max(this.#seq, seq);
    } finally {
      this.#touched = undefined;
    }
    const nowMs = clock.monotonicMs();
    const leastMs = (nowMs - startedMs) * RELOAD_SHARE;
    this.#reloadAtMs = nowMs + Math.max(this.#options.reloadMs, leastMs);
    this.#loaded = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Reading everything may take long: what is revoked meanwhile does not wait for it. */
  async #readLogIfDue(): Promise<void> {
    const { pollMs = Number.POSITIVE_INFINITY } = this.#options;
    const isDue = this.#nudged || this.#deps.clock.monotonicMs() - this.#readAtMs >= pollMs;
    if (!this.#loaded || !isDue) return;
    this.#nudged = false;
    await this.#inTurn(() => this.#readLog());
  }

  /** What has changed since the last time, each once. */
  async #readLog(): Promise<void> {
    this.#readAtMs = this.#deps.clock.monotonicMs();
    for (let more = true; more; ) {
      const page = await this.#deps.changes.list(DIRECTORY, {
        ...{ index: "key", same: { log: CHANGE_LOG }, above: this.#seq, limit: PAGE },
      });
      // Some are no longer there: only reading everything tells what they changed.
      if (page[0] !== undefined && page[0].seq > this.#seq + 1) this.#reloadAtMs = 0;
      const concerned = concernedBy(page);
      // Tenants first: what a former one had is forgotten before what the new one has comes.
      for (const kind of KINDS) {
        for (const [owner, ids] of concerned.get(kind) ?? []) {
          await this.#readAgain(kind, owner, [...ids]);
        }
      }
      this.#seq = page.at(-1)?.seq ?? this.#seq;
      more = page.length === PAGE;
    }
  }

  async #readAgain(kind: Kind, owner: TenantId, ids: readonly string[]): Promise<void> {
    const { records } = this.#deps.kinds[kind] as unknown as Followed<TenantRecord>;
    const found = await records.getMany(
      owner,
      ids.map((id) => ({ id })),
    );
    for (const [place, id] of ids.entries()) {
      this.#apply(kind, owner, id, found[place] as RecordOfKind<typeof kind> | undefined);
    }
  }
}

type RecordOfKind<K extends Kind> = FollowedKinds[K] extends Followed<infer R> ? R : never;

/** What a change does beside writing. */
export type Step = {
  /** A record stands so now, or is gone. */
  applied<K extends Kind>(
    kind: K,
    owner: TenantId,
    id: string,
    record: RecordOfKind<K> | undefined,
  ): void;
  log(entry: Omit<ChangeRecord, "log" | "seq" | "at">): Promise<void>;
};

function nameOf(kind: Kind, owner: TenantId, id: string): string {
  return `${kind}/${owner}/${id}`;
}

type Concerned = ReadonlyMap<Kind, ReadonlyMap<TenantId, ReadonlySet<string>>>;

function concernedBy(page: readonly ChangeRecord[]): Concerned {
  const concerned = new Map<Kind, Map<TenantId, Set<string>>>();
  for (const { kind, about, subject } of page) {
    const known = KINDS.find((one) => one === kind);
    const tenant = parseTenantId(about);
    // Of a later version.
    if (known === undefined || !tenant.ok) continue;
    const owner = known === "tenant" ? DIRECTORY : tenant.value;
    const owners = concerned.get(known) ?? new Map<TenantId, Set<string>>();
    concerned.set(known, owners.set(owner, (owners.get(owner) ?? new Set<string>()).add(subject)));
  }
  return concerned;
}
