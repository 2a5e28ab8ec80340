import type {
  AcknowledgeNotificationBody,
  NotificationAcknowledgedPush,
  NotificationPush,
  UnacknowledgedNotificationsBody,
  WireNotification,
} from "@aldis/protocol";
import type { Client } from "../api.ts";
import type { Listener } from "../emitter.ts";
import type { Timer } from "../environment.ts";
import type { AldisError } from "../errors.ts";
import type { FeatureTools } from "../feature.ts";
import { LiveView } from "../live-view.ts";

/** What the user has yet to acknowledge. Immutable; the same object as long as nothing has changed. */
export type InboxView = {
  /** Urgent ones first, then in the order in which they were sent. */
  readonly notifications: readonly WireNotification[];
  /** How many are unacknowledged, those that are not loaded included; the gateway counts up to a bound. */
  readonly unread: number;
  /** There are more than are loaded: {@link Inbox.loadMore}. */
  readonly hasMore: boolean;
};

/** One call acknowledges so many (NT7). */
const IDS_MAX = 500;
/** Notifications kept in memory; the gateway has the others. */
const LOADED_MAX = 1_000;
/** Acknowledged ids that are remembered, so that a late push does not bring them back. */
const GONE_MAX = 5_000;

/** The user's notifications, live (docs/protocol.md, section Notifications). */
export class Inbox {
  readonly #client: Client;
  readonly #tools: FeatureTools;
  readonly #live: LiveView<InboxView>;
  readonly #stops: (() => void)[];
  #known = new Map<string, WireNotification>();
  /** Acknowledged here or elsewhere, withdrawn: not to be shown again. */
  readonly #gone = new Set<string>();
  /** Acknowledged here, and not answered yet. */
  #waiting = new Set<string>();
  /** On the gateway beyond those that are loaded. */
  #further = 0;
  #next: string | undefined;
  #isTelling = false;
  #tries = 0;
  #timers: { expiry?: Timer; retry?: Timer } = {};
  #isClosed = false;

  constructor(client: Client, tools: FeatureTools) {
    this.#client = client;
    this.#tools = tools;
    this.#live = new LiveView(() => this.#snapshot(), tools.report);
    this.#stops = [
      client.on("push", ({ action, data }) => this.#onPush(action, data)),
      client.on("state", ({ name }) => {
        if (name === "connected") this.#onConnected();
      }),
    ];
    if (client.state.name === "connected") this.#onConnected();
  }

  get view(): InboxView {
    return this.#live.view;
  }

  onChange(listener: Listener<InboxView>): () => void {
    return this.#live.onChange(listener);
  }

  /** Takes them away at once, and tells the gateway until it has heard it. */
  acknowledge(which: string | readonly string[] | "all"): void {
    const ids = which === "all" ? [...this.#known.keys()] : [which].flat();
    for (const id of ids) {
      this.#remove(id);
      this.#waiting.add(id);
    }
    this.#live.changed();
    this.#tell();
  }

  async loadMore(): Promise<void> {
    await this.#load(this.#next);
  }

  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#timers.expiry?.cancel();
    this.#timers.retry?.cancel();
  }

  #onConnected(): void {
    this.#tell();
    this.#load(undefined).catch((error: AldisError) => this.#again(error));
  }

  async #load(cursor: string | undefined): Promise<void> {
    const body = (await this.#client.request("fetch_unacknowledged_notifications", {
      limit: 100,
      cursor,
    })) as UnacknowledgedNotificationsBody;
    if (this.#isClosed) return;
    // The first page tells everything anew: what is not in it was acknowledged elsewhere while we were away.
    if (cursor === undefined) this.#known = new Map();
    for (const notification of body.notifications) this.#keep(notification);
    this.#next = body.next;
    this.#further = Math.max(0, body.unread - this.#known.size - this.#waiting.size);
    this.#live.changed();
  }

  #onPush(action: string, data: unknown): void {
    if (action === "notification") this.#onNotification(data as NotificationPush);
    else if (action === "notification_acknowledged") {
      for (const id of (data as NotificationAcknowledgedPush).ids) this.#remove(id);
      this.#live.changed();
    }
  }

  #onNotification({ more: _, ...notification }: NotificationPush): void {
    this.#keep(notification);
    this.#live.changed();
  }

  #keep(notification: WireNotification): void {
    const { id, collapseKey } = notification;
    if (this.#gone.has(id) || notification.expiresAt <= this.#tools.clock.nowMs()) return;
    if (collapseKey !== undefined && !this.#collapse(notification)) return;
    this.#known.set(id, notification);
    if (this.#known.size > LOADED_MAX) this.#known.delete(this.#sorted().at(-1)?.id ?? id);
    this.#watchExpiry();
  }

  /** NT5: of those with one collapse key the latest stays. Returns whether that is this one. */
  #collapse({ id, collapseKey, tenant, seq }: WireNotification): boolean {
    for (const other of this.#known.values()) {
      if (other.id === id || other.collapseKey !== collapseKey || other.tenant !== tenant) continue;
      if (other.seq > seq) return false;
      this.#known.delete(other.id);
    }
    return true;
  }

  #remove(id: string): void {
    if (this.#gone.has(id)) return;
    this.#gone.add(id);
    if (this.#gone.size > GONE_MAX)
      for (const first of this.#gone) {
        this.#gone.delete(first);
        break;
      }
    if (!this.#known.delete(id) && this.#further > 0) this.#further--;
  }

  /** Asked again and again until it is answered: acknowledging twice does no harm. */
  #tell(): void {
    if (this.#isTelling || this.#waiting.size === 0 || this.#isClosed) return;
    this.#isTelling = true;
    const ids = [...this.#waiting].slice(0, IDS_MAX);
    const asked = this.#client.request("acknowledge_notification", { ids });
    (asked as Promise<AcknowledgeNotificationBody>).then(
      () => {
        this.#isTelling = false;
        this.#tries = 0;
        for (const id of ids) this.#waiting.delete(id);
        this.#tell();
      },
      (error: AldisError) => {
        this.#isTelling = false;
        if (!error.temporary) this.#waiting = new Set();
        this.#again(error);
      },
    );
  }

  #again(error: AldisError): void {
    if (this.#isClosed) return;
    // Refused for good: what the gateway has is what counts.
    if (!error.temporary && error.code !== "bad_request") return;
    this.#tries++;
    this.#timers.retry?.cancel();
    const delayMs = this.#tools.retryDelayMs(this.#tries, error);
    this.#timers.retry = this.#tools.clock.setTimer(delayMs, () => {
      if (this.#client.state.name === "connected") this.#onConnected();
    });
  }

  #watchExpiry(): void {
    this.#timers.expiry?.cancel();
    const first = Math.min(...[...this.#known.values()].map(({ expiresAt }) => expiresAt));
    if (!Number.isFinite(first)) return;
    const { clock } = this.#tools;
    this.#timers.expiry = clock.setTimer(Math.max(0, first - clock.nowMs()), () => {
      const nowMs = clock.nowMs();
      for (const { id, expiresAt } of this.#known.values()) {
        if (expiresAt <= nowMs) this.#known.delete(id);
      }
      this.#live.changed();
      this.#watchExpiry();
    });
  }

  #sorted(): WireNotification[] {
    const rank = ({ priority }: WireNotification) => (priority === "urgent" ? 0 : 1);
    return [...this.#known.values()].sort(
      (a, b) => rank(a) - rank(b) || a.at - b.at || a.seq - b.seq,
    );
  }

  #snapshot(): InboxView {
    return {
      notifications: this.#sorted(),
      unread: this.#known.size + this.#further,
      hasMore: this.#next !== undefined || this.#further > 0,
    };
  }
}
