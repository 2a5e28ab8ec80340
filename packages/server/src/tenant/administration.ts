// What an operator does to tenants: records written, logged, and known here when each promise resolves. Called by the HTTP API.
import { accept, type Result, refuse } from "@aldis/protocol";
import type { Records } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import type { Follower, Step } from "./follower.ts";
import { type Author, DIRECTORY, REMOVED, type TenantRecord } from "./records.ts";
import type { TenantId } from "./tenant.ts";
import { statusOf, type TenantDirectory } from "./tenant-directory.ts";
import type { Quotas, TenantStatus } from "./tenants.ts";

export type AdministrationDeps = {
  readonly clock: Clock;
  readonly directory: TenantDirectory;
  readonly follower: Pick<Follower, "change">;
  readonly tenants: Records<TenantRecord>;
  /** How long something of a tenant may be left that ends by itself: histories, sessions, what nodes remember. */
  readonly lingerMs: (tenant: TenantId) => number;
};

/** What is given changes, `null` clears it, what is left out stays. */
export type TenantChange = {
  readonly name?: string | null | undefined;
  readonly quotas?: { readonly [Q in keyof Quotas]?: number | null | undefined } | undefined;
};

const BEING_REMOVED = refuse(
  "conflict",
  "the tenant was deleted, and is being removed: its `freeAt` says until when at least",
);
const TAKEN = refuse("conflict", "there is such a tenant");
export const NO_TENANT = refuse("not_found", "no such tenant");
/** Attack on oneself: a typing error in an id makes keys and settings for nobody. */
export const NOT_CREATED = refuse("not_found", "no such tenant: create it first");
export const WAS_DELETED = refuse(
  "not_found",
  "the tenant was deleted: create it, and it begins empty",
);
const CONFIGURED = refuse(
  "conflict",
  "the gateway's configuration names this tenant: change it there",
);
/** Two operators change the same tenant at the same time. */
const TRIES = 5;
const ACTIONS = {
  active: "tenant.resumed",
  suspended: "tenant.suspended",
  deleted: "tenant.deleted",
};

export class Administration {
  readonly #deps: AdministrationDeps;
  /** Tenants with a record. */
  readonly #max: number;

  constructor(deps: AdministrationDeps, max: number) {
    this.#deps = deps;
    this.#max = max;
  }

  create(by: Author, tenant: TenantId, change: TenantChange): Promise<Result<TenantRecord>> {
    const { follower, directory } = this.#deps;
    return follower.change(async (step) => {
      if (directory.isConfigured(tenant)) return CONFIGURED;
      const made = await this.#insert(step, tenant, change);
      return made.ok ? logged(step, { by, tenant, action: "tenant.created" }, made) : made;
    });
  }

  change(by: Author, tenant: TenantId, change: TenantChange): Promise<Result<TenantRecord>> {
    const { follower, directory } = this.#deps;
    const { name, quotas } = change;
    return follower.change(async (step) => {
      const changed = await this.#update(step, tenant, (former) =>
        accept({
          ...(name !== undefined && { name: name ?? undefined }),
          ...(quotas !== undefined && { quotas: quotasFrom(former.quotas, quotas) }),
        }),
      );
      const isMissing = !changed.ok && changed.error === "not_found";
      const isNew = isMissing && directory.isConfigured(tenant);
      const made = isNew ? await this.#insert(step, tenant, change) : changed;
      if (!made.ok) return made;
      return logged(step, { by, tenant, action: "tenant.changed", detail: { ...change } }, made);
    });
  }

  /** `deleted` is for ever: what the tenant had is removed, and nobody gets in under its id until it is created anew. */
  setStatus(by: Author, tenant: TenantId, status: TenantStatus): Promise<Result<TenantRecord>> {
    const { follower, directory } = this.#deps;
    return follower.change(async (step) => {
      // What was suspended before it was configured can be let in again.
      if (directory.isConfigured(tenant) && status !== "active") return CONFIGURED;
      const made =
        status === "deleted"
          ? await this.#delete(step, tenant)
          : await this.#update(step, tenant, () => accept({ status }));
      return made.ok ? logged(step, { by, tenant, action: ACTIONS[status] }, made) : made;
    });
  }

  /** Asked again it is told again: whoever wrote it may have died before it told anybody. */
  async #delete(step: Step, tenant: TenantId): Promise<Result<TenantRecord>> {
    const { clock, lingerMs, tenants } = this.#deps;
    const freeAt = clock.nowMs() + lingerMs(tenant);
    const deleted = await this.#update(step, tenant, () => accept({ status: "deleted", freeAt }));
    if (deleted !== BEING_REMOVED) return deleted;
    const former = await tenants.get(DIRECTORY, { id: tenant });
    return former === undefined ? NO_TENANT : accept(former);
  }

  /** Changes a record that is there, unless somebody else does so at the same time again and again. */
  async #update(
    step: Step,
    tenant: TenantId,
    change: (record: TenantRecord) => Result<Partial<TenantRecord>>,
  ): Promise<Result<TenantRecord>> {
    const { clock, tenants } = this.#deps;
    for (let tries = 0; tries < TRIES; tries++) {
      const former = await tenants.get(DIRECTORY, { id: tenant });
      if (former === undefined) return NO_TENANT;
      const isRemoved = former.status === REMOVED;
      if (isRemoved || statusOf(former.status) === "deleted") {
        step.applied("tenant", DIRECTORY, tenant, former);
        return isRemoved ? WAS_DELETED : BEING_REMOVED;
      }
      const changed = change(former);
      if (!changed.ok) return changed;
      const { revision } = former;
      const fields = { ...changed.value, changedAt: clock.nowMs(), revision: revision + 1 };
      const where = { revision: { is: revision } };
      const record = await tenants.update(DIRECTORY, { id: tenant }, fields, where);
      if (record === undefined) continue;
      step.applied("tenant", DIRECTORY, tenant, record);
      return accept(record);
    }
    return refuse("conflict", "others change it at the same time: try again");
  }

  async #insert(
    step: Step,
    tenant: TenantId,
    { name, quotas = {} }: TenantChange,
  ): Promise<Result<TenantRecord>> {
    const { clock, tenants, directory } = this.#deps;
    if (directory.size >= this.#max) return refuse("limit_reached", "there are too many tenants");
    const atMs = clock.nowMs();
    const wished = {
      ...{ id: tenant, status: "active", name: name ?? undefined, quotas: quotasFrom({}, quotas) },
      ...{ createdAt: atMs, changedAt: atMs, revision: 1 },
    };
    let { written, record } = await tenants.insert(DIRECTORY, wished);
    // Revisions count on: of the former tenant and this one no two records are the same, on whatever node.
    if (!written && record.status === REMOVED) {
      const { revision, createdAt } = record;
      const anew = { createdAt: Math.max(atMs, createdAt + 1), revision: revision + 1 };
      const where = { revision: { is: revision } };
      ({ written, record } = await tenants.put(DIRECTORY, { ...wished, ...anew }, where));
    }
    step.applied("tenant", DIRECTORY, tenant, record);
    if (!written) return statusOf(record.status) === "deleted" ? BEING_REMOVED : TAKEN;
    return accept(record);
  }
}

type Told = {
  readonly by: Author;
  readonly tenant: TenantId;
  readonly action: string;
  readonly detail?: object;
};

async function logged<T>(step: Step, { by, tenant, action, detail }: Told, outcome: T): Promise<T> {
  await step.log({ kind: "tenant", about: tenant, subject: tenant, action, by, detail });
  return outcome;
}

/** Only those that are set. */
function quotasFrom(
  former: Partial<Quotas>,
  change: NonNullable<TenantChange["quotas"]>,
): Partial<Quotas> {
  const all = Object.entries({ ...former, ...change });
  return Object.fromEntries(all.filter(([, value]) => value !== null && value !== undefined));
}
