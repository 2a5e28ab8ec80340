import type {
  ErrorCode,
  PositionPush,
  PresencePush,
  PublishBody,
  StreamPosition,
  SubscribeBody,
  TypingPush,
  WelcomeBody,
  WirePublication,
} from "@aldis/protocol";
import type { Timer } from "./environment.ts";
import { AldisError, isTemporaryCode } from "./errors.ts";
import { Feed, type FeedDeps } from "./feed.ts";
import type { Frame } from "./frames.ts";
import type { Handle } from "./subscription.ts";

export type FeedsDeps = Omit<FeedDeps, "onEnded"> & {
  isConnected(): boolean;
  /** A backend has put the session into a channel (SE9): `tell` hands its subscription to the application. */
  granted(channel: string): { readonly handle: Handle; tell(): void };
};

/** At most this many positions stand in one `connect` (docs/protocol.md section 14). */
const POSITIONS_MAX = 512;

/** An `unsubscribe` that is refused for now is in no hurry: nobody hears its channel any more. */
const LEAVE_TRIES = 2;

/** All feeds of a client by channel, and the way from a push to those it concerns. */
export class Feeds {
  readonly #deps: FeedsDeps;
  readonly #feeds = new Map<string, Feed>();
  readonly #patterns = new Set<Feed>();
  /** Channels that the application left, and the session may still have. */
  readonly #left = new Set<string>();
  #leaveTimer: Timer | undefined;

  constructor(deps: FeedsDeps) {
    this.#deps = deps;
  }

  add(handle: Handle): void {
    const present = this.#feeds.get(handle.channel);
    if (present !== undefined) {
      present.join(handle);
      return;
    }
    const feed = this.#found(handle);
    if (this.#deps.isConnected()) feed.subscribe();
  }

  remove(handle: Handle): void {
    const feed = this.#feeds.get(handle.channel);
    if (feed === undefined) return;
    feed.leave(handle);
    if (!feed.isEmpty) return;
    // Without a position the gateway has told nothing of it: there is no grant to end.
    if (feed.position !== undefined) this.#left.add(feed.channel);
    feed.stop();
    this.#drop(feed);
    this.#unsubscribe(feed.channel);
  }

  position(channel: string): StreamPosition | undefined {
    return this.#feeds.get(channel)?.position;
  }

  setPresence(channel: string, own: Record<string, unknown>): void {
    this.#feeds.get(channel)?.setPresence(own);
  }

  /** Where this client stands, for SE4; undefined when there are more than one `connect` may tell. */
  positions(): Record<string, StreamPosition> | undefined {
    const positions: Record<string, StreamPosition> = {};
    let count = 0;
    for (const feed of this.#feeds.values()) {
      if (feed.position === undefined) continue;
      positions[feed.channel] = feed.position;
      count += 1;
    }
    return count <= POSITIONS_MAX ? positions : undefined;
  }

  /** `told`: the channels whose positions stood in the `connect` that this welcome answers. */
  onWelcome(welcome: WelcomeBody, told: ReadonlySet<string>): void {
    const kept = new Set(welcome.resumed ? welcome.channels : []);
    const granted = new Set(welcome.granted);
    if (!welcome.resumed) this.#left.clear();
    for (const channel of kept) {
      // A grant that this client has not heard of is told by the `subscribe` push that follows.
      const isNews = granted.has(channel) && !this.#left.has(channel);
      if (!this.#feeds.has(channel) && !isNews) this.#unsubscribe(channel);
    }
    for (const feed of this.#feeds.values()) {
      if (kept.has(feed.channel) && (feed.isPattern || told.has(feed.channel))) feed.resume();
      else feed.subscribe();
    }
  }

  onDown(): void {
    this.#leaveTimer?.cancel();
    for (const feed of this.#feeds.values()) {
      feed.onDown();
      for (const handle of feed.everyone()) handle.onDown();
    }
  }

  onClosed(error: AldisError): void {
    for (const feed of this.#feeds.values()) {
      for (const handle of feed.everyone()) handle.onClosed(error);
    }
  }

  /** A publish was answered (with `body`) or given up. */
  onPublished(channel: string, body: PublishBody | undefined, options: { silent: boolean }): void {
    const feed = this.#feeds.get(channel);
    if (feed === undefined) return;
    if (body !== undefined && !body.duplicate && !body.suppressed) {
      feed.onOwn(body, options.silent ? "silent" : "maybe");
    }
    feed.recheck();
  }

  /** False for pushes that are not about subscriptions. */
  onPush(frame: Frame): boolean {
    const { channel } = frame.data as { channel?: unknown };
    if (typeof channel !== "string") return false;
    const feed = this.#feeds.get(channel);
    switch (frame.action) {
      case "message":
        this.#onMessage(channel, frame.data as WirePublication);
        return true;
      case "subscribe":
        this.#onSubscribe(frame.data as SubscribeBody);
        return true;
      case "unsubscribe":
        feed?.onUnsubscribePush(endError((frame.data as { code: ErrorCode }).code));
        return true;
      case "position":
        this.#onPosition(feed, frame.data as PositionPush);
        return true;
      case "presence":
        for (const handle of this.#concerned(channel)) {
          handle.emit("presence", frame.data as PresencePush);
        }
        return true;
      case "typing":
        for (const handle of this.#concerned(channel)) {
          handle.emit("typing", frame.data as TypingPush);
        }
        return true;
      default:
        return false;
    }
  }

  /** Of a channel that this client does not know, it is a grant (SE9), or crosses an `unsubscribe`. */
  #onSubscribe(body: SubscribeBody): void {
    const { channel, granted } = body;
    const isGrant = granted === true && !this.#left.has(channel);
    const feed = this.#feeds.get(channel) ?? (isGrant ? this.#adopt(channel) : undefined);
    feed?.onSubscribePush(body);
  }

  /** The application hears of it first, so that its listeners miss nothing; it may leave at once. */
  #adopt(channel: string): Feed {
    const { handle, tell } = this.#deps.granted(channel);
    const feed = this.#found(handle);
    feed.resume();
    tell();
    return feed;
  }

  #found(founder: Handle): Feed {
    const onEnded = (ended: Feed) => this.#drop(ended);
    const feed = new Feed({ ...this.#deps, onEnded }, founder);
    this.#feeds.set(feed.channel, feed);
    this.#left.delete(feed.channel);
    if (feed.isPattern) this.#patterns.add(feed);
    return feed;
  }

  /** A connection gets one copy, however many of its subscriptions match (SU6). */
  #onMessage(channel: string, publication: WirePublication): void {
    const feed = this.#feeds.get(channel);
    const isRepeat = publication.offset <= (feed?.position?.offset ?? 0);
    if (!isRepeat) {
      for (const pattern of this.#matching(channel)) {
        for (const handle of pattern.everyone()) handle.onMessage(publication);
      }
    }
    feed?.onMessage(publication);
  }

  #onPosition(feed: Feed | undefined, { offset = 0, skipped }: PositionPush): void {
    if (skipped !== undefined) return feed?.onSkipped(offset, skipped);
    if (feed?.position === undefined) return;
    feed.onOwn({ offset, epoch: feed.position.epoch }, "silent");
    feed.recheck();
  }

  *#concerned(channel: string): Iterable<Handle> {
    const feed = this.#feeds.get(channel);
    if (feed !== undefined) yield* feed.everyone();
    for (const pattern of this.#matching(channel)) yield* pattern.everyone();
  }

  #matching(channel: string): Feed[] {
    if (this.#patterns.size === 0) return [];
    return [...this.#patterns].filter((feed) => channel.startsWith(feed.channel.slice(0, -1)));
  }

  #unsubscribe(channel: string): void {
    const { clock, isConnected, request, retryDelayMs } = this.#deps;
    if (!isConnected()) return;
    this.#left.add(channel);
    request("unsubscribe", { channel }, (outcome) => {
      if (outcome.ok || !outcome.error.temporary) this.#left.delete(channel);
      else if (isConnected()) {
        this.#leaveTimer?.cancel();
        this.#leaveTimer = clock.setTimer(retryDelayMs(LEAVE_TRIES, outcome.error), () => {
          for (const left of [...this.#left]) this.#unsubscribe(left);
        });
      }
    });
  }

  #drop(feed: Feed): void {
    this.#feeds.delete(feed.channel);
    this.#patterns.delete(feed);
  }
}

function endError(code: ErrorCode): AldisError {
  return new AldisError(code, "the gateway ended the subscription", {
    temporary: isTemporaryCode(code),
  });
}
