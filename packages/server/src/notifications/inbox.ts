import type { Clock, Records, TenantId, Written } from "../plugins/index.ts";
import type { NotificationsConfig } from "./config.ts";
import { INBOX, type InboxRecord, NORMAL, URGENT } from "./records.ts";
import type { Said } from "./said.ts";

/** A notification before it has its place. */
export type Draft = {
  readonly id: string;
  readonly at: number;
  readonly expiresAt: number;
  readonly lane: number;
  readonly collapse: string | undefined;
  readonly said: Said;
};

export type InboxDeps = {
  readonly clock: Clock;
  readonly config: Pick<NotificationsConfig, "retentionMs" | "idempotencyMs" | "perUserMax">;
  records(collection: typeof INBOX): Records<InboxRecord>;
  /** What goes wrong with tidying is no matter of who sends. */
  inBackground(work: Promise<unknown>): void;
};

/** Older ones with the same collapse key; more than one only when two nodes did it at once, or one died over it. */
const REPLACED_MAX = 100;
/** Old ones beyond `perUserMax` go once in so many. */
const TRIM_EACH = 64;
const PAGE = 500;
const WAITS = { lane: { not: undefined } } as const;

/** Each user's own notifications. */
export class Inbox {
  readonly #deps: InboxDeps;
  readonly #records: Records<InboxRecord>;

  constructor(deps: InboxDeps) {
    this.#deps = deps;
    this.#records = deps.records(INBOX);
  }

  /**
   * Committed when it resolves. The same id again has no effect, but that what a crash left undone is done: so the answer to a repeat may be
   * `written: false` with a record that waits, and nobody was told of.
   */
  async add(tenant: TenantId, user: string, draft: Draft): Promise<Written<InboxRecord>> {
    const { config } = this.#deps;
    const written = await this.#records.append(tenant, {
      ...draft,
      user,
      seq: 0,
      removeAt: Math.max(draft.expiresAt, draft.at + config.idempotencyMs),
    });
    const { record } = written;
    if (record.lane !== undefined && record.collapse !== undefined) {
      await this.#replaceOlder(tenant, record, record.collapse);
    }
    if (written.written && record.seq > config.perUserMax && record.seq % TRIM_EACH === 0) {
      this.#deps.inBackground(this.#trim(tenant, record));
    }
    return written;
  }

  /**
   * NT5. After its own commit each one takes away all that are before it: of several at once the last in the log takes away the others, and none
   * can take away the last.
   */
  async #replaceOlder(tenant: TenantId, record: InboxRecord, collapse: string): Promise<void> {
    const { user, seq } = record;
    const older = await this.#records.list(tenant, {
      index: "collapsed",
      same: { user, collapse },
      below: seq,
      limit: REPLACED_MAX,
    });
    await Promise.all(older.map((each) => this.#end(tenant, each)));
  }

  /** Replaced, or withdrawn. Whether it still waited. */
  async #end(tenant: TenantId, { user, seq, at }: InboxRecord): Promise<boolean> {
    const ended = await this.#records.update(
      tenant,
      { user, seq },
      {
        lane: undefined,
        collapse: undefined,
        said: undefined,
        gone: 1,
        removeAt: at + this.#deps.config.idempotencyMs,
      },
      WAITS,
    );
    return ended !== undefined;
  }

  async #trim(tenant: TenantId, { user, seq }: InboxRecord): Promise<void> {
    await this.#records.removeSome(tenant, {
      index: "key",
      same: { user },
      below: seq - this.#deps.config.perUserMax + 1,
      limit: 4 * TRIM_EACH,
    });
  }

  /** Unacknowledged ones: urgent ones first, then by their place in the log. `from`: after that place. */
  async waiting(
    tenant: TenantId,
    user: string,
    ask: { readonly from?: { lane: number; seq: number }; sinceMs?: number; limit: number },
  ): Promise<readonly InboxRecord[]> {
    const { from, sinceMs, limit } = ask;
    const where = {
      expiresAt: { above: this.#deps.clock.nowMs() },
      ...(sinceMs !== undefined && { at: { above: sinceMs } }),
    };
    const index = "waiting";
    if (from === undefined) {
      return await this.#records.list(tenant, { index, same: { user }, where, limit });
    }
    const { lane, seq } = from;
    const same = { user, lane };
    const found = await this.#records.list(tenant, { index, same, above: seq, where, limit });
    if (lane === NORMAL || found.length >= limit) return found;
    const others = await this.#records.list(tenant, {
      index,
      same: { user, lane: NORMAL },
      where,
      limit: limit - found.length,
    });
    return [...found, ...others];
  }

  async countWaiting(tenant: TenantId, user: string, limit: number): Promise<number> {
    return await this.#records.count(tenant, {
      index: "waiting",
      same: { user },
      where: { expiresAt: { above: this.#deps.clock.nowMs() } },
      limit,
    });
  }

  /** From the newest, acknowledged ones too. Expired ones are among them as long as they are there. */
  async newest(
    tenant: TenantId,
    user: string,
    { below, limit }: { readonly below: number; readonly limit: number },
  ): Promise<readonly InboxRecord[]> {
    return await this.#records.list(tenant, {
      index: "key",
      same: { user },
      below,
      order: "descending",
      where: { gone: { is: undefined } },
      limit,
    });
  }

  async find(tenant: TenantId, user: string, id: string): Promise<InboxRecord | undefined> {
    const [found] = await this.#records.list(tenant, {
      index: "sent",
      same: { id, user },
      limit: 1,
    });
    return found;
  }

  async get(tenant: TenantId, user: string, seq: number): Promise<InboxRecord | undefined> {
    return await this.#records.get(tenant, { user, seq });
  }

  /** Those that wait and were sent before a place in the log, that place too, or before a moment. */
  async waitingUpTo(
    tenant: TenantId,
    user: string,
    ask: { readonly upTo: { readonly seq: number } | { readonly at: number }; limit: number },
  ): Promise<readonly InboxRecord[]> {
    const { upTo, limit } = ask;
    const now = this.#deps.clock.nowMs();
    const lists = [URGENT, NORMAL].map((lane) =>
      this.#records.list(tenant, {
        index: "waiting",
        same: { user, lane },
        ...("seq" in upTo && { below: upTo.seq + 1 }),
        where: {
          expiresAt: { above: now },
          ...("at" in upTo && { at: { below: upTo.at + 1 } }),
        },
        limit,
      }),
    );
    const found = (await Promise.all(lists)).flat();
    return found.sort((one, other) => one.seq - other.seq).slice(0, limit);
  }

  /** NT7: the first of all who ask takes it away, and is told so. `by`: a repeat of the call that did. */
  async acknowledge(
    tenant: TenantId,
    { user, seq }: InboxRecord,
    by: string | undefined,
  ): Promise<boolean> {
    const { clock, config } = this.#deps;
    const now = clock.nowMs();
    const change = {
      lane: undefined,
      collapse: undefined,
      acknowledgedAt: now,
      acknowledgedBy: by,
      removeAt: now + Math.max(config.retentionMs, config.idempotencyMs),
    };
    const where = { ...WAITS, expiresAt: { above: now } };
    if ((await this.#records.update(tenant, { user, seq }, change, where)) !== undefined) {
      return true;
    }
    if (by === undefined) return false;
    const record = await this.#records.get(tenant, { user, seq });
    return record?.acknowledgedBy === by;
  }

  /** NT12. Gives whom it was taken from, a page of them at a time. */
  async withdraw(
    tenant: TenantId,
    ask: { readonly id: string; readonly user: string | undefined },
    tell: (users: readonly string[]) => void,
  ): Promise<number> {
    const { id, user } = ask;
    if (user !== undefined) {
      const record = await this.find(tenant, user, id);
      if (record === undefined || !(await this.#end(tenant, record))) return 0;
      tell([user]);
      return 1;
    }
    let withdrawn = 0;
    for (let after: string | undefined; ; ) {
      const page = await this.#records.list(tenant, {
        index: "sent",
        same: { id },
        above: after,
        limit: PAGE,
      });
      const ended = await Promise.all(page.map((record) => this.#end(tenant, record)));
      const users = page.filter((_, place) => ended[place]).map((record) => record.user);
      if (users.length > 0) tell(users);
      withdrawn += users.length;
      after = page.at(-1)?.user;
      if (page.length < PAGE) return withdrawn;
    }
  }

  /**
   * Removes what may go, a piece of it. The last of a user's log stays, without what it said: the log counts on from it. So does the next
   * one, whoever removes what meanwhile: what goes is always before something that is there.
   */
  async removeEnded(tenant: TenantId, limit: number): Promise<number> {
    const { clock, config } = this.#deps;
    const now = clock.nowMs();
    const ended = await this.#records.list(tenant, { index: "ends", below: now + 1, limit });
    const tops = new Map<string, number>();
    for (const user of new Set(ended.map((record) => record.user))) {
      const [top] = await this.#records.list(tenant, {
        index: "key",
        same: { user },
        order: "descending",
        limit: 1,
      });
      if (top !== undefined) tops.set(user, top.seq);
    }
    await Promise.all(
      ended.map(({ user, seq, removeAt }) => {
        const where = { removeAt: { is: removeAt } };
        if (seq < (tops.get(user) ?? 0)) return this.#records.remove(tenant, { user, seq }, where);
        const husk = {
          lane: undefined,
          collapse: undefined,
          said: undefined,
          gone: 1,
          removeAt: now + Math.max(config.retentionMs, config.idempotencyMs),
        };
        return this.#records.update(tenant, { user, seq }, husk, where);
      }),
    );
    return ended.length;
  }
}
