// Records of several nodes in one process, without a database: every call takes its time, and a test says how long, and who gets no answer any more.
import type { Records, Swept, TenantId } from "../../../plugins/index.ts";

/** Called before a call has its effect and after it: what it throws, or never resolves, the caller meets. */
export type Gate = (when: "before" | "after") => Promise<void>;

type Row = Record<string, unknown>;
type Asked = Record<string, { readonly is: unknown }>;

/** One collection. Knows the queries that the sources use: by the first fields of an index, with `where`. */
export class SharedTable {
  readonly #key: readonly string[];
  readonly #rows = new Map<string, { tenant: TenantId; row: Row }>();

  constructor(key: readonly string[]) {
    this.#key = key;
  }

  all(): Row[] {
    return [...this.#rows.values()].map(({ row }) => row);
  }

  /** As one node has it. */
  as<R extends object>(gate: Gate): Records<R> {
    const step = async <T>(run: () => T): Promise<T> => {
      await gate("before");
      const answer = run();
      await gate("after");
      return answer;
    };
    const at = (tenant: TenantId, key: object) => this.#at(tenant, key as Row);
    const records = {
      get: (tenant: TenantId, key: object) => step(() => this.#rows.get(at(tenant, key))?.row),
      insert: (tenant: TenantId, row: object) =>
        step(() => {
          const there = this.#rows.get(at(tenant, row));
          if (there !== undefined) return { written: false, record: there.row };
          this.#rows.set(at(tenant, row), { tenant, row: { ...row } });
          return { written: true, record: { ...row } };
        }),
      put: (tenant: TenantId, row: object) =>
        step(() => {
          this.#rows.set(at(tenant, row), { tenant, row: { ...row } });
          return { written: true, record: { ...row } };
        }),
      update: (tenant: TenantId, key: object, change: object, where: object = {}) =>
        step(() => {
          const there = this.#rows.get(at(tenant, key));
          if (there === undefined || !holds(there.row, where as Asked)) return undefined;
          there.row = { ...there.row, ...change };
          return there.row;
        }),
      remove: (tenant: TenantId, key: object, where: object = {}) =>
        step(() => {
          const there = this.#rows.get(at(tenant, key));
          if (there === undefined || !holds(there.row, where as Asked)) return false;
          return this.#rows.delete(at(tenant, key));
        }),
      list: (tenant: TenantId, query: { same?: object; where?: object; limit: number }) =>
        step(() =>
          [...this.#rows.values()]
            .filter((each) => each.tenant === tenant)
            .map(({ row }) => row)
            .filter(
              (row) => agrees(row, query.same ?? {}) && holds(row, (query.where ?? {}) as Asked),
            )
            .slice(0, query.limit),
        ),
      sweep: (after: Swept<object> | undefined) =>
        step(() =>
          after === undefined
            ? [...this.#rows.values()].map(({ tenant, row }) => ({ tenant, record: row }))
            : [],
        ),
    };
    return records as unknown as Records<R>;
  }

  #at(tenant: TenantId, row: Row): string {
    return JSON.stringify([tenant, ...this.#key.map((field) => row[field])]);
  }
}

function agrees(row: Row, same: object): boolean {
  return Object.entries(same).every(([field, value]) => row[field] === value);
}

function holds(row: Row, where: Asked): boolean {
  return Object.entries(where).every(([field, { is }]) => row[field] === is);
}
