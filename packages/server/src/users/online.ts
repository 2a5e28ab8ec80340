// Who is connected now, on all nodes (US2, US4). Asked of those that live, each time.
import { FIELD_LIMITS, type Fields, field, isFields } from "@aldis/protocol";
import {
  type Clock,
  type PluginNodes,
  type PluginUsers,
  parseTenantId,
  type TenantId,
} from "../plugins/index.ts";

export type OnlineDeps = {
  readonly clock: Clock;
  readonly users: Pick<PluginUsers, "here" | "isHere">;
  readonly nodes: PluginNodes;
};

export type OnlineUser = { readonly userId: string; readonly nodes: number };
export type OnlinePage = {
  readonly users: readonly OnlineUser[];
  readonly more: boolean;
  /** Nodes that did not answer. */
  readonly missing: readonly string[];
};
export type Whereabouts = {
  /** Of each, to how many nodes they are connected. */
  readonly nodes: ReadonlyMap<string, number>;
  readonly missing: readonly string[];
};

type PageAsked = { readonly after: string | undefined; readonly limit: number };
type Snapshot = { readonly ids: readonly string[]; readonly untilMs: number };

const PAGE = "online";
const WHICH = "which";
const IDS_MAX = 500;
const TENANTS_MAX = 100;
/** A tenant's users are put in order anew so often that it takes about a fiftieth of a node's time. */
const USERS_PER_MS = 50;
const NOBODY: readonly string[] = [];

/** Attack: many who list many users, each time in order. Held for milliseconds where they are few, for a second where they are tens of thousands. */
function createSnapshots({ clock, users }: Pick<OnlineDeps, "clock" | "users">) {
  const snapshots = new Map<TenantId, Snapshot>();

  function idsHere(tenant: TenantId): readonly string[] {
    const nowMs = clock.monotonicMs();
    const former = snapshots.get(tenant);
    if (former !== undefined && nowMs < former.untilMs) return former.ids;
    const all = users.here(tenant, { limit: Number.MAX_SAFE_INTEGER });
    const ids = all.filter((id) => !id.startsWith("anon:"));
    if (ids.length < USERS_PER_MS) {
      snapshots.delete(tenant);
      return ids;
    }
    if (snapshots.size >= TENANTS_MAX) snapshots.clear();
    snapshots.set(tenant, { ids, untilMs: nowMs + ids.length / USERS_PER_MS });
    return ids;
  }

  function pageHere(tenant: TenantId, { after, limit }: PageAsked): readonly string[] {
    const ids = idsHere(tenant);
    const start = after === undefined ? 0 : firstAbove(ids, after);
    return ids.slice(start, start + limit);
  }

  return pageHere;
}

/** What other nodes ask this one. */
function answerOthers(
  { users, nodes }: OnlineDeps,
  pageHere: (tenant: TenantId, asked: PageAsked) => readonly string[],
): void {
  nodes.on(PAGE, (body) => {
    const { tenant, fields } = askedIn(body);
    const [after, limit] = [field(fields, "after"), field(fields, "limit")];
    const page = {
      after: typeof after === "string" ? after : undefined,
      limit: Math.min(Number.isSafeInteger(limit) ? Math.max(limit as number, 1) : 1, IDS_MAX + 1),
    };
    return { users: pageHere(tenant, page) };
  });
  nodes.on(WHICH, (body) => {
    const { tenant, fields } = askedIn(body);
    const ids = idsIn(field(fields, "users")) ?? NOBODY;
    return { users: ids.filter((id) => users.isHere(tenant, id)) };
  });
}

export function createOnline(deps: OnlineDeps) {
  const { users, nodes } = deps;
  const pageHere = createSnapshots(deps);
  answerOthers(deps, pageHere);

  /** What each other node says; of one that has gone nothing is missing. */
  async function askOthers(kind: string, body: object) {
    const answers = await Promise.all(
      nodes.others.map(async (node) => ({ node, answer: await nodes.ask(node, kind, body) })),
    );
    const lists: (readonly string[])[] = [];
    const missing: string[] = [];
    for (const { node, answer } of answers) {
      const ids =
        answer.ok && isFields(answer.body) ? idsIn(field(answer.body, "users")) : undefined;
      if (ids !== undefined) lists.push(ids);
      else if (answer.ok || answer.cause !== "gone") missing.push(node);
    }
    return { lists, missing };
  }

  return {
    /**
     * Each node gives its first users after `after`, so that the first of all of them are known for certain, each once, whoever comes and goes: as many as `limit`, at most 500. Anonymous ones
     * are left out.
     */
    async page(tenant: TenantId, { after, limit }: PageAsked): Promise<OnlinePage> {
      const asked = { after, limit: limit + 1 };
      const here = pageHere(tenant, asked);
      const { lists, missing } = await askOthers(PAGE, { tenant, ...asked });
      const found = countEach([here, ...lists]);
      const ids = [...found.keys()].filter((id) => after === undefined || id > after).sort();
      return {
        users: ids.slice(0, limit).map((userId) => ({ userId, nodes: found.get(userId) ?? 0 })),
        more: ids.length > limit,
        missing,
      };
    },
    /** At most 500 users. */
    async where(tenant: TenantId, userIds: readonly string[]): Promise<Whereabouts> {
      if (userIds.length === 0) return { nodes: new Map(), missing: NOBODY };
      const here = userIds.filter((id) => users.isHere(tenant, id));
      const { lists, missing } = await askOthers(WHICH, { tenant, users: userIds });
      return { nodes: countEach([here, ...lists]), missing };
    },
    /** Which of these are connected to other nodes. */
    async elsewhere(tenant: TenantId, userIds: readonly string[]): Promise<ReadonlySet<string>> {
      const { lists } = await askOthers(WHICH, { tenant, users: userIds });
      return new Set(lists.flat());
    },
  };
}

export type Online = ReturnType<typeof createOnline>;

/** In how many of the lists each is. */
function countEach(lists: readonly (readonly string[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const list of lists) for (const id of list) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** Index of the first id that comes after `id`. */
function firstAbove(ids: readonly string[], id: string): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? "") <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Throws for what another version may have sent: who asked hears that it failed. */
export function askedIn(body: unknown): { readonly tenant: TenantId; readonly fields: Fields } {
  if (!isFields(body)) throw new TypeError("no object");
  const tenant = parseTenantId(field(body, "tenant"));
  if (!tenant.ok) throw new TypeError("no tenant");
  return { tenant: tenant.value, fields: body };
}

function idsIn(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > IDS_MAX + 1) return undefined;
  const ids = value.filter((id): id is string => typeof id === "string");
  return ids.length === value.length && ids.every((id) => id.length <= FIELD_LIMITS.user)
    ? ids
    : undefined;
}
