import { expect, test } from "bun:test";
import { REMOVED, type TenantRecord } from "./records.ts";
import type { TenantId } from "./tenant.ts";
import { TenantDirectory } from "./tenant-directory.ts";
import { NO_QUOTAS } from "./tenants.ts";

const acme = "acme" as TenantId;

function record(id: string, change: Partial<TenantRecord> = {}): TenantRecord {
  const moments = { createdAt: 1, changedAt: 1, revision: 1 };
  return { id, status: "active", quotas: {}, ...moments, ...change };
}

function opened({ open = true, configured = ["default"] } = {}) {
  const ids = new Set(configured as TenantId[]);
  const directory = new TenantDirectory({ open, configured: ids, quotas: NO_QUOTAS, isKept: true });
  const changed: TenantId[] = [];
  const gone: TenantId[] = [];
  directory.onChange((tenant) => changed.push(tenant));
  directory.onGone((tenant) => gone.push(tenant));
  return { directory, changed, gone };
}

const tombstone = (id: string, changedAt = 9) => record(id, { status: REMOVED, changedAt });

test("[TN10] of a deleted tenant the id alone is kept: it lets nobody in, is not listed and takes no room of others", () => {
  const { directory, changed, gone } = opened();
  expect(directory.of(acme).status).toBe("active");
  directory.apply("acme", record("acme"));
  directory.apply("acme", tombstone("acme"));
  expect([gone, changed]).toEqual([[acme], [acme, acme]]);
  expect(directory.of(acme).status).toBe("deleted");
  expect([directory.wasDeleted(acme), directory.recordOf(acme)]).toEqual([true, undefined]);
  expect([directory.size, [...directory.listFrom(undefined)]]).toEqual([0, ["default"]] as never);
  // Reading everything again asks for all that is held.
  expect([...directory.ids()]).toEqual([acme]);
});

test("[TN10] who hears of a deletion only when all is over is told of it, once", () => {
  const { directory, changed } = opened();
  directory.apply("acme", tombstone("acme"));
  directory.apply("acme", tombstone("acme"));
  expect(changed).toEqual([acme]);
  directory.apply("acme", undefined);
  expect([changed.length, directory.of(acme).status]).toEqual([2, "active"]);
});

test("[TN10] a tenant that is created anew is another one, and lives", () => {
  const { directory, gone } = opened();
  directory.apply("acme", record("acme"));
  directory.apply("acme", tombstone("acme"));
  directory.apply("acme", record("acme", { createdAt: 2, revision: 3 }));
  expect([directory.of(acme).status, directory.wasDeleted(acme)]).toEqual(["active", false]);
  expect([...directory.ids()]).toEqual([acme]);
  // A node that has heard of nothing in between has the former one's keys yet.
  directory.apply("acme", record("acme", { createdAt: 5, revision: 6 }));
  expect(gone).toEqual([acme, acme]);
});

test("[TN1] what the configuration names is there, whatever was deleted before", () => {
  const { directory } = opened({ configured: ["default", "acme"], open: false });
  directory.apply("acme", tombstone("acme"));
  expect(directory.of(acme).status).toBe("active");
  expect(directory.of("other" as TenantId).status).toBe("deleted");
});

test("the oldest tombstones are those that go, as many as are too many", () => {
  const { directory } = opened();
  for (const [id, at] of Object.entries({ a: 5, b: 1, c: 9, d: 3 })) {
    directory.apply(id, tombstone(id, at));
  }
  const beyond = (keep: number, limit: number) => directory.removedBeyond(keep, limit) as string[];
  expect([beyond(4, 9), beyond(2, 9), beyond(0, 1)]).toEqual([[], ["b", "d"], ["b"]]);
});
