// Reads everything of one kind again: what a crash between two writes, or a lost log, has left is mended by it.
import type { Records, Swept } from "../store/store.ts";
import type { InTurn } from "./in-turn.ts";
import type { TenantId } from "./tenant.ts";

/** Where records of one kind are held in memory. */
export type Sink<R extends object> = {
  /** What stands in the store now; undefined: nothing. */
  apply(owner: TenantId, id: string, record: R | undefined): void;
  owners(): Iterable<TenantId>;
  idsOf(owner: TenantId): Iterable<string>;
};

/** A kind of record and where it goes. All have the key `id`. */
export type Followed<R extends { readonly id: string }> = {
  readonly records: Records<R>;
  readonly sink: Sink<R>;
};

const PAGE = 1_000;

export type ReloadDeps = {
  readonly inTurn: InTurn;
  /** Whether it was applied by others meanwhile: then that is newer than that this has not found it. */
  readonly isTouched: (owner: TenantId, id: string) => boolean;
  /** Called between two pages. */
  readonly between: () => Promise<void>;
};

/** Page by page, each in turn with whatever else reads or writes, so that nothing older than what is known already is ever applied. */
export async function reloadKind<R extends { readonly id: string }>(
  { records, sink }: Followed<R>,
  { inTurn, isTouched, between }: ReloadDeps,
): Promise<void> {
  const owners = new Set<TenantId>();
  let after: Swept<R> | undefined;
  let group: { readonly owner: TenantId; readonly ids: Set<string> } | undefined;
  for (let more = true; more; ) {
    more = await inTurn(async () => {
      const page = await records.sweep(after, PAGE);
      for (const { tenant, record } of page) {
        if (group?.owner !== tenant) {
          if (group !== undefined) forgetOthers(sink, group, isTouched);
          group = { owner: tenant, ids: new Set() };
          owners.add(tenant);
        }
        group.ids.add(record.id);
        sink.apply(tenant, record.id, record);
      }
      after = page.at(-1) ?? after;
      return page.length === PAGE;
    });
    if (more) await between();
  }
  if (group !== undefined) forgetOthers(sink, group, isTouched);
  for (const owner of [...sink.owners()]) {
    if (!owners.has(owner)) forgetOthers(sink, { owner, ids: NONE }, isTouched);
  }
}

const NONE: ReadonlySet<string> = new Set();

function forgetOthers<R extends object>(
  sink: Sink<R>,
  { owner, ids }: { readonly owner: TenantId; readonly ids: ReadonlySet<string> },
  isTouched: ReloadDeps["isTouched"],
): void {
  for (const id of [...sink.idsOf(owner)]) {
    if (!ids.has(id) && !isTouched(owner, id)) sink.apply(owner, id, undefined);
  }
}
