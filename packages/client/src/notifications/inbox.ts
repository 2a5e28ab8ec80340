import type {
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
import { WaitingList } from "./waiting-list.ts";

/** What the user has yet to acknowledge. Immutable; the same object as long as nothing has changed. */
export type InboxView = {
  /** Urgent ones first, then in the order in which they were sent. */
  readonly notifications: readonly WireNotification[];
  /** How many are unacknowledged, those that are not loaded included; the gateway counts up to a bound. */
  readonly unread: number;
  /** There are more than are loaded: {@link Inbox.loadMore}. */
  readonly hasMore: boolean;
};

/** One call acknowledges so many, and a page has so many (NT6, NT7). */
const IDS_MAX = 500;
const PAGE = 100;
/** Counted anew at most so often. */
const COUNT_AFTER_MS = 1_000;

/** The user's notifications, live (docs/protocol.md, section Notifications). It lives as long as its client. */
export class Inbox {
  readonly #client: Client;
  readonly #tools: FeatureTools;
  readonly #live: LiveView<InboxView>;
  readonly #list = new WaitingList();
  /** Acknowledged here, and not answered yet. */
  readonly #waiting = new Set<string>();
  /** On the gateway beyond those that are loaded. */
  #further = 0;
  #next: string | undefined;
  #isTelling = false;
  #tries = 0;
  /** Pushes and acknowledgements so far: a count that was asked for before the latest may be wrong. */
  #changes = 0;
  readonly #timers = new Map<"expiry" | "retry" | "count", Timer>();

  constructor(client: Client, tools: FeatureTools) {
    this.#client = client;
    this.#tools = tools;
    this.#live = new LiveView(() => this.#snapshot(), tools.report);
    client.on("push", ({ action, data }) => this.#onPush(action, data));
    client.on("state", ({ name }) => {
      if (name === "connected") this.#onConnected();
      if (name === "closed") for (const timer of this.#timers.keys()) this.#cancel(timer);
    });
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
    for (const id of which === "all" ? this.#list.ids() : [which].flat()) {
      this.#remove(id);
      this.#waiting.add(id);
    }
    this.#changed();
    this.#tell();
  }

  async loadMore(): Promise<void> {
    if (!this.#snapshot().hasMore) return;
    await this.#load(this.#next, this.#next === undefined ? this.#list.size + PAGE : PAGE);
  }

  #onConnected(): void {
    this.#cancel("retry");
    this.#tell();
    this.#load(undefined, this.#list.size).then(
      () => {
        this.#tries = 0;
      },
      (error: AldisError) => this.#again(error),
    );
  }

  async #load(cursor: string | undefined, size: number): Promise<void> {
    const before = new Set(this.#list.ids());
    const changes = this.#changes;
    const limit = Math.min(IDS_MAX, Math.max(PAGE, size));
    const { notifications, unread, next } = await this.#fetch(limit, cursor);
    // The first page tells everything anew: what is not in it was acknowledged elsewhere while we were away. What was pushed since it was asked for stays.
    if (cursor === undefined) for (const id of before) this.#list.forget(id);
    this.#next = next;
    this.#further = 0;
    for (const notification of notifications) this.#keep(notification);
    if (next !== undefined) this.#reckon(unread, changes);
    this.#changed();
  }

  #fetch(limit: number, cursor?: string): Promise<UnacknowledgedNotificationsBody> {
    return this.#client.request("fetch_unacknowledged_notifications", {
      limit,
      cursor,
    }) as Promise<UnacknowledgedNotificationsBody>;
  }

  /** How many are not loaded. Whether the count has in it what has changed meanwhile is not known: then it is asked for again. */
  #reckon(unread: number, changes: number): void {
    this.#further = Math.max(0, unread - this.#list.size - this.#waiting.size);
    if (changes !== this.#changes || this.#waiting.size > 0) this.#countSoon();
  }

  #countSoon(): void {
    if (this.#timers.has("count")) return;
    this.#after("count", COUNT_AFTER_MS, () => {
      const changes = this.#changes;
      this.#fetch(1).then(
        ({ unread }) => {
          this.#reckon(unread, changes);
          this.#changed();
        },
        // The next page, change or connection counts anew.
        () => {},
      );
    });
  }

  #onPush(action: string, data: unknown): void {
    if (action === "notification") {
      const { more: _, ...notification } = data as NotificationPush;
      this.#changes++;
      this.#keep(notification);
      // It may be new, or one of those that were not loaded: the push does not tell.
      if (this.#further > 0) this.#countSoon();
    } else if (action === "notification_acknowledged") {
      for (const id of (data as NotificationAcknowledgedPush).ids) this.#remove(id);
    } else return;
    this.#changed();
  }

  #keep(notification: WireNotification): void {
    if (!this.#list.keep(notification, this.#tools.clock.nowMs())) this.#further++;
  }

  #remove(id: string): void {
    const was = this.#list.remove(id);
    if (was !== "gone") this.#changes++;
    if (was === "unknown" && this.#further > 0) this.#further--;
  }

  #changed(): void {
    this.#watchExpiry();
    this.#live.changed();
  }

  /** Asked again and again until it is answered: acknowledging twice does no harm. */
  #tell(): void {
    if (this.#isTelling || this.#waiting.size === 0) return;
    this.#isTelling = true;
    const ids = [...this.#waiting].slice(0, IDS_MAX);
    this.#client.request("acknowledge_notification", { ids }).then(
      () => {
        this.#isTelling = false;
        this.#tries = 0;
        for (const id of ids) this.#waiting.delete(id);
        this.#tell();
      },
      (error: AldisError) => {
        this.#isTelling = false;
        if (!error.temporary) this.#giveBack();
        this.#again(error);
      },
    );
  }

  /** Refused for good: what the gateway has is what counts, and is shown again. */
  #giveBack(): void {
    for (const id of this.#waiting) this.#list.readmit(id);
    this.#waiting.clear();
    this.#load(undefined, this.#list.size).catch((error: AldisError) => this.#again(error));
  }

  /** What was refused for now, or lost, is tried once more while there is a connection; the next one does so anyway. */
  #again(error: AldisError): void {
    if (!error.temporary) return;
    this.#tries++;
    this.#after("retry", this.#tools.retryDelayMs(this.#tries, error), () => {
      if (this.#client.state.name === "connected") this.#onConnected();
    });
  }

  #watchExpiry(): void {
    const first = this.#list.firstExpiry;
    if (!Number.isFinite(first)) return this.#cancel("expiry");
    const { clock } = this.#tools;
    this.#after("expiry", Math.max(0, first - clock.nowMs()), () => {
      this.#list.expire(clock.nowMs());
      this.#changed();
    });
  }

  #after(name: "expiry" | "retry" | "count", delayMs: number, run: () => void): void {
    this.#cancel(name);
    if (this.#client.state.name === "closed") return;
    const timer = this.#tools.clock.setTimer(delayMs, () => {
      this.#timers.delete(name);
      run();
    });
    this.#timers.set(name, timer);
  }

  #cancel(name: "expiry" | "retry" | "count"): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }

  #snapshot(): InboxView {
    return {
      notifications: this.#list.sorted(),
      unread: this.#list.size + this.#further,
      hasMore: this.#next !== undefined || this.#further > 0,
    };
  }
}
