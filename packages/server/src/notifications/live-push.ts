import type { NotificationAcknowledgedPush } from "@aldis/protocol";
import type { Clock, PluginNodes, PluginUsers, TenantId } from "../plugins/index.ts";
import type { Missed } from "./missed.ts";
import type { InboxRecord, TenantRecord } from "./records.ts";
import { wireOf } from "./said.ts";

export type LivePushDeps = {
  readonly clock: Clock;
  readonly users: Pick<PluginUsers, "push" | "pushToAll">;
  readonly nodes: Pick<PluginNodes, "tellOthers">;
  readonly missed: Pick<Missed, "note" | "noteAll">;
  /** No connection of theirs was found on any node that said something. */
  notHere(tenant: TenantId, records: readonly InboxRecord[]): void;
  count(event: string, by?: number): void;
};

/** The tenant's notifications have changed: other nodes are not to go by what they remember. */
export const BOARD_CHANGED = "board";

/** Tells those who are connected, wherever that is. What it cannot tell is left to {@link Missed}. */
export class LivePush {
  readonly #deps: LivePushDeps;

  constructor(deps: LivePushDeps) {
    this.#deps = deps;
  }

  /** Of one priority; at most a few hundred, so that a message between nodes stays small. */
  async toUsers(
    tenant: TenantId,
    records: readonly InboxRecord[],
    how: { readonly urgent: boolean },
  ): Promise<void> {
    const { users, missed, notHere, count } = this.#deps;
    const first = records[0];
    if (first === undefined) return;
    const pushes = records.map((record) => ({
      userId: record.user,
      action: "notification",
      data: wireOf(record),
    }));
    const { connections, missing } = await users.push(tenant, pushes, how);
    const names = records.map((record) => record.user);
    for (const node of missing) missed.note(node, tenant, names, first.at);
    count(
      "pushed",
      connections.reduce((sum, each) => sum + each, 0),
    );
    const absent = records.filter((_, index) => connections[index] === 0);
    if (absent.length > 0) notHere(tenant, absent);
  }

  async toTenant(
    tenant: TenantId,
    record: TenantRecord,
    how: { readonly urgent: boolean },
  ): Promise<void> {
    const { users, missed, count } = this.#deps;
    this.boardChanged(tenant);
    const push = { action: "notification", data: wireOf(record) };
    const { connections, missing } = await users.pushToAll(tenant, push, how);
    for (const node of missing) missed.noteAll(node, record.at);
    count("pushed", connections);
  }

  boardChanged(tenant: TenantId): void {
    this.#deps.nodes.tellOthers(BOARD_CHANGED, { tenant });
  }

  /** NT8. What is missed shows when the client reads or acknowledges. */
  async withdrawn(tenant: TenantId, id: string, from: readonly string[] | "all"): Promise<void> {
    const { users, clock } = this.#deps;
    const action = "notification_acknowledged";
    const data: NotificationAcknowledgedPush = { ids: [id], at: clock.nowMs(), withdrawn: true };
    if (from === "all") await users.pushToAll(tenant, { action, data });
    else
      await users.push(
        tenant,
        from.map((userId) => ({ userId, action, data })),
      );
  }
}
