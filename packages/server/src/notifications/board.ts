import {
  type Clock,
  type Records,
  refusal,
  type TenantId,
  type Written,
} from "../plugins/index.ts";
import type { NotificationsConfig } from "./config.ts";
import type { Draft } from "./inbox.ts";
import { EVERYONE, MARKS, type MarkRecord, TENANT_WIDE, type TenantRecord } from "./records.ts";

export type BoardDeps = {
  readonly clock: Clock;
  readonly config: Pick<NotificationsConfig, "retentionMs" | "idempotencyMs" | "tenantMax">;
  tenantWide(collection: typeof TENANT_WIDE): Records<TenantRecord>;
  marks(collection: typeof MARKS): Records<MarkRecord>;
};

/** So long a node may go without asking the store which ones are active, when no other node has told it that something changed. */
const FRESH_MS = 5_000;
const TENANTS_MAX = 1_000;
const REPLACED_MAX = 100;
/** Pieces, so that no writer waits long. */
const MARKS_PIECE = 1_000;
const LOG = { audience: EVERYONE };
const WAITS = { lane: { not: undefined } } as const;

type Known = {
  readonly readAtMs: number;
  readonly records: Promise<readonly TenantRecord[]>;
};

/**
 * Notifications to everyone of a tenant: one record each, and a mark of each user who has acknowledged it. What is active is remembered for a
 * moment, so that ten thousand users who come back at once cost one read where there is none.
 */
export class Board {
  readonly #deps: BoardDeps;
  readonly #records: Records<TenantRecord>;
  readonly #marks: Records<MarkRecord>;
  /** By tenant. */
  readonly #known = new Map<string, Known>();

  constructor(deps: BoardDeps) {
    this.#deps = deps;
    this.#records = deps.tenantWide(TENANT_WIDE);
    this.#marks = deps.marks(MARKS);
  }

  /** As {@link Inbox.add}. Throws `limit_reached`. */
  async add(tenant: TenantId, draft: Draft): Promise<Written<TenantRecord>> {
    const { config } = this.#deps;
    const before = await this.find(tenant, draft.id);
    if (before === undefined) await this.#refuseTooMany(tenant, draft);
    const written =
      before !== undefined
        ? { written: false, record: before }
        : await this.#records.append(tenant, {
            ...draft,
            ...LOG,
            seq: 0,
            removeAt: Math.max(draft.expiresAt, draft.at + config.idempotencyMs),
          });
    const { record } = written;
    if (record.lane !== undefined && record.collapse !== undefined) {
      const older = await this.#records.list(tenant, {
        index: "collapsed",
        same: { collapse: record.collapse },
        below: record.seq,
        limit: REPLACED_MAX,
      });
      await Promise.all(older.map((each) => this.#end(tenant, each)));
    }
    this.forget(tenant);
    return written;
  }

  /** What replaces another one needs no room. Two nodes at once may come to a few more. */
  async #refuseTooMany(tenant: TenantId, { collapse }: Draft): Promise<void> {
    this.forget(tenant);
    const active = await this.active(tenant);
    if (active.length < this.#deps.config.tenantMax) return;
    if (collapse !== undefined && active.some((record) => record.collapse === collapse)) return;
    throw refusal("limit_reached", "too many notifications to the tenant are active");
  }

  async #end(tenant: TenantId, { seq, at }: TenantRecord): Promise<boolean> {
    const change = {
      lane: undefined,
      collapse: undefined,
      said: undefined,
      removeAt: at + this.#deps.config.idempotencyMs,
    };
    const ended = await this.#records.update(tenant, { ...LOG, seq }, change, WAITS);
    return ended !== undefined;
  }

  /** Urgent ones first, each lane in the order of its log. At most `tenantMax`, or a few more. */
  async active(tenant: TenantId): Promise<readonly TenantRecord[]> {
    const { clock, config } = this.#deps;
    const now = clock.monotonicMs();
    let known = this.#known.get(tenant);
    if (known === undefined || now - known.readAtMs >= FRESH_MS) {
      const records = this.#records.list(tenant, {
        index: "active",
        same: LOG,
        limit: 2 * config.tenantMax,
      });
      known = { readAtMs: now, records };
      this.#remember(tenant, known);
    }
    const entry = known;
    try {
      const nowMs = clock.nowMs();
      return (await entry.records).filter((record) => record.expiresAt > nowMs);
    } catch (error) {
      if (this.#known.get(tenant) === entry) this.#known.delete(tenant);
      throw error;
    }
  }

  #remember(tenant: TenantId, known: Known): void {
    this.#known.delete(tenant);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= TENANTS_MAX && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(tenant, known);
  }

  /** Something has changed, here or on another node, which says the tenant's name. */
  forget(tenant: string): void {
    this.#known.delete(tenant);
  }

  /** Nobody knows what has changed meanwhile. */
  forgetAll(): void {
    this.#known.clear();
  }

  async find(tenant: TenantId, id: string): Promise<TenantRecord | undefined> {
    const [found] = await this.#records.list(tenant, { index: "sent", same: { id }, limit: 1 });
    return found;
  }

  /** When the user has acknowledged each of them, in their order. */
  async marksOf(
    tenant: TenantId,
    user: string,
    records: readonly TenantRecord[],
  ): Promise<readonly (MarkRecord | undefined)[]> {
    if (records.length === 0) return [];
    return await this.#marks.getMany(
      tenant,
      records.slice(0, 1_000).map(({ seq }) => ({ seq, user })),
    );
  }

  /** NT7. */
  async acknowledge(
    tenant: TenantId,
    user: string,
    ask: { readonly record: TenantRecord; readonly by: string | undefined },
  ): Promise<boolean> {
    const { seq } = ask.record;
    const { written, record } = await this.#marks.insert(tenant, {
      seq,
      user,
      at: this.#deps.clock.nowMs(),
      by: ask.by,
    });
    return written || (ask.by !== undefined && record.by === ask.by);
  }

  async withdraw(tenant: TenantId, id: string): Promise<boolean> {
    const record = await this.find(tenant, id);
    if (record === undefined || !(await this.#end(tenant, record))) return false;
    this.forget(tenant);
    return true;
  }

  /** As {@link Inbox.removeEnded}, with the marks: those go first, so that none is left without what it belongs to. */
  async removeEnded(tenant: TenantId, limit: number): Promise<number> {
    const { clock, config } = this.#deps;
    const now = clock.nowMs();
    const ended = await this.#records.list(tenant, { index: "ends", below: now + 1, limit });
    if (ended.length === 0) return 0;
    const [top] = await this.#records.list(tenant, {
      index: "key",
      same: LOG,
      order: "descending",
      limit: 1,
    });
    for (const record of ended) {
      await this.#end(tenant, record);
      const { seq } = record;
      const marks = { index: "key", same: { seq }, limit: MARKS_PIECE } as const;
      while ((await this.#marks.removeSome(tenant, marks)) === MARKS_PIECE);
      if (seq < (top?.seq ?? 0)) await this.#records.remove(tenant, { ...LOG, seq });
      else {
        const removeAt = now + Math.max(config.retentionMs, config.idempotencyMs);
        await this.#records.update(tenant, { ...LOG, seq }, { said: undefined, removeAt });
      }
    }
    return ended.length;
  }
}
