import type { WireNotification } from "@aldis/protocol";

/** Notifications kept in memory; the gateway has the others. */
const LOADED_MAX = 1_000;
/** Acknowledged ids that are remembered, so that a late push does not bring them back. */
const GONE_MAX = 5_000;

/** The notifications that are loaded: each once, none that is acknowledged, replaced or expired. */
export class WaitingList {
  readonly #known = new Map<string, WireNotification>();
  /** Acknowledged here or elsewhere, withdrawn: not to be shown again. */
  readonly #gone = new Set<string>();

  get size(): number {
    return this.#known.size;
  }

  ids(): string[] {
    return [...this.#known.keys()];
  }

  /** When the first of them ends; infinite without any. */
  get firstExpiry(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { expiresAt } of this.#known.values()) first = Math.min(first, expiresAt);
    return first;
  }

  /** Urgent ones first, then in the order in which they were sent. */
  sorted(): WireNotification[] {
    const rank = ({ priority }: WireNotification) => (priority === "urgent" ? 0 : 1);
    return [...this.#known.values()].sort(
      (a, b) => rank(a) - rank(b) || a.at - b.at || a.seq - b.seq,
    );
  }

  /** Returns whether there was room; without, the last one goes. */
  keep(notification: WireNotification, nowMs: number): boolean {
    const { id, expiresAt } = notification;
    if (this.#gone.has(id) || expiresAt <= nowMs || !this.#collapse(notification)) return true;
    this.#known.set(id, notification);
    if (this.#known.size <= LOADED_MAX) return true;
    this.#known.delete(this.sorted().at(-1)?.id ?? id);
    return false;
  }

  /** No longer shown, but it comes back when the gateway tells of it again. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  /** It does not come back. Returns what it was: `unknown` may be one that is not loaded. */
  remove(id: string): "known" | "unknown" | "gone" {
    if (this.#gone.has(id)) return "gone";
    this.#gone.add(id);
    for (const first of this.#gone) {
      if (this.#gone.size <= GONE_MAX) break;
      this.#gone.delete(first);
    }
    return this.#known.delete(id) ? "known" : "unknown";
  }

  /** The gateway has not taken its acknowledgement. */
  readmit(id: string): void {
    this.#gone.delete(id);
  }

  expire(nowMs: number): void {
    for (const { id, expiresAt } of this.#known.values()) {
      if (expiresAt <= nowMs) this.#known.delete(id);
    }
  }

  /** NT5: of those with one collapse key the latest stays. Returns whether that is this one. */
  #collapse({ id, collapseKey, tenant, seq }: WireNotification): boolean {
    if (collapseKey === undefined) return true;
    for (const other of this.#known.values()) {
      if (other.id === id || other.collapseKey !== collapseKey || other.tenant !== tenant) continue;
      if (other.seq > seq) return false;
      this.#known.delete(other.id);
    }
    return true;
  }
}
