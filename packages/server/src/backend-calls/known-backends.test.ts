import { describe, expect, test } from "bun:test";
import {
  DEFAULT_TENANT,
  type Records,
  type Swept,
  type TenantId,
  Unavailable,
} from "../plugins/index.ts";
import { KnownBackends } from "./known-backends.ts";
import type { BackendSettings, SettingsRecord } from "./records.ts";

const ACME = "acme" as TenantId;
const OTHER = "other" as TenantId;
const SETTINGS: BackendSettings = {
  ...{ url: "https://a.example/", secret: "", rpc: true, timeoutMs: 1_000, onFailure: "refuse" },
  subscribe: { namespaces: ["orders"] },
  publish: { namespaces: ["*"] },
};

class Away extends Unavailable {}

/** Records that are read when the test says so. */
function openStore() {
  const held = new Map<TenantId, SettingsRecord>();
  const store = {
    held,
    isAway: false,
    reads: 0,
    /** What each reading waits for. */
    gate: Promise.resolve(),
    put(tenant: TenantId, at: number, settings = SETTINGS) {
      held.set(tenant, { name: "backend", at, settings });
    },
    records: {
      async sweep(after: Swept<SettingsRecord> | undefined) {
        store.reads++;
        const seen = [...held].map(([tenant, record]) => ({ tenant, record }));
        await store.gate;
        if (store.isAway) throw new Away("away");
        return after === undefined ? seen : [];
      },
      async get(tenant: TenantId) {
        const seen = held.get(tenant);
        await store.gate;
        return seen;
      },
    } as unknown as Records<SettingsRecord>,
  };
  const changed: TenantId[] = [];
  const known = new KnownBackends({
    records: store.records,
    fixed: new Map(),
    changed: (tenant) => void changed.push(tenant),
  });
  return { store, known, changed };
}

describe("[BC7] the backends that a node knows", () => {
  test("P5: before they were read nobody is passed by: who comes waits, and is refused while the store is away", async () => {
    const { store, known } = openStore();
    store.put(ACME, 1);
    store.isAway = true;
    expect(known.mayAsk(OTHER, "chat", "subscribes")).toBe(true);
    expect(await known.of(OTHER).catch((error) => error)).toBeInstanceOf(Unavailable);
    store.isAway = false;
    const both = await Promise.all([known.of(ACME), known.of(OTHER)]);
    expect(both.map((backend) => backend?.at)).toEqual([1, undefined]);
    expect(store.reads).toBe(2);
    expect(known.mayAsk(OTHER, "chat", "subscribes")).toBe(false);
    expect(known.mayAsk(ACME, "orders", "subscribes")).toBe(true);
    expect(known.mayAsk(ACME, "chat", "subscribes")).toBe(false);
    expect(known.mayAsk(ACME, "chat", "publishes")).toBe(true);
    // What was known goes on while the store is away.
    store.isAway = true;
    await known.readAll().catch(() => {});
    expect((await known.of(ACME))?.at).toBe(1);
  });

  test("a reading that began before a change does not bring back what was there", async () => {
    const { store, known, changed } = openStore();
    store.put(ACME, 1);
    await known.readAll();
    const { promise, resolve } = Promise.withResolvers<void>();
    store.gate = promise;
    const slow = known.readAll();
    store.held.clear();
    const removed = known.read(ACME);
    store.put(OTHER, 1);
    resolve();
    await Promise.all([removed, slow]);
    expect(known.now(ACME)).toBeUndefined();
    await known.readAll();
    await known.readAll();
    expect(known.now(OTHER)?.at).toBe(1);
    expect(changed).toEqual([ACME, ACME, OTHER]);
  });

  test("one that has not changed stays the same object; one that has, and one that is gone, are told", async () => {
    const { store, known, changed } = openStore();
    store.put(ACME, 1);
    await known.readAll();
    const first = known.now(ACME);
    await known.readAll();
    expect(known.now(ACME)).toBe(first as never);
    store.put(ACME, 2);
    await known.read(ACME);
    expect(known.now(ACME)?.at).toBe(2);
    store.held.clear();
    await known.readAll();
    expect(known.now(ACME)).toBeUndefined();
    expect(changed).toEqual([ACME, ACME, ACME]);
  });

  test("one that was removed and set again within the same millisecond is another one", async () => {
    const { store, known, changed } = openStore();
    store.put(ACME, 1);
    await known.readAll();
    store.put(ACME, 1, { ...SETTINGS, url: "https://b.example/" });
    await known.read(ACME);
    expect(known.now(ACME)?.settings.url).toBe("https://b.example/");
    expect(changed).toEqual([ACME, ACME]);
  });

  test("those of the config need no store, and nothing changes them", async () => {
    const known = new KnownBackends({
      records: undefined,
      fixed: new Map([[DEFAULT_TENANT, SETTINGS]]),
      changed: () => {},
    });
    await known.readAll();
    expect(known.isFixed(DEFAULT_TENANT)).toBe(true);
    expect((await known.of(DEFAULT_TENANT))?.settings).toBe(SETTINGS);
    expect(known.mayAsk(ACME, "orders", "subscribes")).toBe(false);
  });
});
