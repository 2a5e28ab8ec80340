// Where there is a store, what tenants change in their namespaces is kept there, and every node follows it.
import type { Namespaces } from "../channel/namespaces.ts";
import type { NamespaceOptions } from "../config/namespace-schema.ts";
import type { Records } from "../store/store.ts";
import type { ChangeRates } from "../tenant/change-rates.ts";
import type { Follower } from "../tenant/follower.ts";
import type { NamespaceRecord } from "../tenant/records.ts";
import type { Sink } from "../tenant/reload.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { NamespaceChanges, WhichNamespace } from "./namespace-changes.ts";

export type NamespaceSinkDeps = {
  readonly namespaces: Namespaces;
  /** Options as another version may have written them; undefined: they are none. */
  readonly parse: (value: unknown) => NamespaceOptions | undefined;
  /** Told after a tenant's namespaces have changed here. */
  readonly onChange: (tenant: TenantId) => void;
};

/** Where they are held in memory. */
export function namespaceSink(deps: NamespaceSinkDeps): Sink<NamespaceRecord> {
  const { namespaces, parse, onChange } = deps;

  function isChanged(owner: TenantId, id: string, record: NamespaceRecord | undefined): boolean {
    const options = record && parse(record.options);
    // What cannot be read keeps its place: what it was is safer than what is configured.
    if (record !== undefined && options === undefined) return false;
    if (options === undefined) return namespaces.reset(owner, id);
    return !namespaces.isAs(owner, id, options) && namespaces.change(owner, id, options);
  }

  return {
    apply(owner, id, record) {
      if (isChanged(owner, id, record)) onChange(owner);
    },
    owners: () => namespaces.changers(),
    idsOf: (owner) => namespaces.changedBy(owner),
  };
}

export type KeptNamespacesDeps = {
  readonly namespaces: Namespaces;
  readonly follower: Pick<Follower, "change">;
  readonly changeRates: ChangeRates;
  readonly records: Records<NamespaceRecord>;
};

export function keptNamespaceChanges(deps: KeptNamespacesDeps): NamespaceChanges {
  const { namespaces, follower, changeRates, records } = deps;
  const about = ({ tenant, name }: WhichNamespace) =>
    ({ kind: "namespace", about: tenant, subject: name }) as const;
  return {
    change: (which, options, by) =>
      follower.change(async (step) => {
        const { tenant, name } = which;
        changeRates.take(tenant, by);
        if (!namespaces.hasRoom(tenant, name)) return false;
        const { record } = await records.put(tenant, { id: name, options });
        step.applied("namespace", tenant, name, record);
        await step.log({ ...about(which), action: "namespace.changed", by });
        return true;
      }),
    reset: (which, by) =>
      follower.change(async (step) => {
        const { tenant, name } = which;
        changeRates.take(tenant, by);
        const removed = await records.remove(tenant, { id: name });
        step.applied("namespace", tenant, name, undefined);
        if (removed) await step.log({ ...about(which), action: "namespace.reset", by });
        return removed;
      }),
    close() {},
  };
}
