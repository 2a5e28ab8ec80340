import type {
  SlowConsumerPolicy,
  StreamPosition,
  SubscribeBody,
  WirePublication,
} from "@aldis/protocol";
import type { Clock, Timer } from "./environment.ts";
import type { AldisError } from "./errors.ts";
import type { Outcome, Settle } from "./outcome.ts";
import { Sequence } from "./sequence.ts";
import type { Handle } from "./subscription.ts";

/**
 * One wire subscription, shared by all {@link Handle}s of its channel. Keeps the position, puts
 * messages in order, drops repeats, and repairs gaps (docs/protocol.md sections 4 and 10).
 */
export type FeedDeps = {
  readonly clock: Clock;
  request(action: string, data: object, settle: Settle<object>): void;
  /** How long to wait after `tries` failures. */
  retryDelayMs(tries: number, error: AldisError | undefined): number;
  /** A publish to the channel is on its way, whose reply may explain a gap (PB4). */
  hasPublishOnItsWay(channel: string): boolean;
  /** The gateway ended it. */
  onEnded(feed: Feed): void;
};

type Phase =
  /** No connection. */
  | { readonly name: "down" }
  /** A reply will come. */
  | { readonly name: "subscribing" }
  /** A `subscribe` push will come (SE3). */
  | { readonly name: "resuming"; readonly timer: Timer }
  /** Refused for now. */
  | { readonly name: "pausing"; readonly timer: Timer }
  | { readonly name: "live" }
  | { readonly name: "ended" };

/** How long a resumed subscription waits to hear from the gateway before it asks by itself. */
const RESUME_MAX_MS = 10_000;

/** How long a gap may wait for the answer to an own publish, which may explain it. */
const GAP_MAX_MS = 2_000;

/** After this many repairs in a row that did not help, what is held back is given up. */
const REPAIRS_MAX = 3;

/** Own presence that is refused for now, in many channels at once perhaps, is told again at a slow pace: all of them share the user's rate. */
const PRESENCE_TRIES = 5;

export class Feed {
  readonly channel: string;
  readonly isPattern: boolean;
  readonly #deps: FeedDeps;
  readonly #last: number | undefined;
  #slow: SlowConsumerPolicy | undefined;
  /** Who gets the messages. */
  readonly #handles = new Set<Handle>();
  /** Who came later, and waits for messages of its own before it joins the others. */
  readonly #joining = new Set<Handle>();
  readonly #sequence: Sequence;
  #phase: Phase = { name: "down" };
  #joinTimer: Timer | undefined;
  #gapTimer: Timer | undefined;
  #tries = 0;
  #repairs = 0;
  #presence: Record<string, unknown> | undefined;
  #presenceLost = false;
  #presenceTimer: Timer | undefined;

  constructor(deps: FeedDeps, founder: Handle) {
    this.#deps = deps;
    this.channel = founder.channel;
    this.isPattern = founder.channel.endsWith("*");
    this.#last = founder.options.last;
    this.#slow = founder.options.slow;
    this.#sequence = new Sequence(founder.options.since);
    this.#handles.add(founder);
  }

  get position(): StreamPosition | undefined {
    return this.#sequence.position;
  }

  get isEmpty(): boolean {
    return this.#handles.size + this.#joining.size === 0;
  }

  join(handle: Handle): void {
    this.#slow ??= handle.options.slow;
    if (this.isPattern && this.#phase.name === "live") {
      this.#handles.add(handle);
      queueMicrotask(() => handle.onSubscribed({ recovered: false, position: undefined }));
      return;
    }
    this.#joining.add(handle);
    if (this.#phase.name === "live") this.#letIn(handle);
  }

  leave(handle: Handle): void {
    this.#handles.delete(handle);
    this.#joining.delete(handle);
  }

  *everyone(): Iterable<Handle> {
    yield* [...this.#handles, ...this.#joining];
  }

  /** On a connection whose session does not have this subscription, or not from this position. */
  subscribe(): void {
    this.#presenceLost = this.#presence !== undefined;
    this.#request();
  }

  /** On a connection whose session has it: the gateway tells the rest (SE3). */
  resume(): void {
    // After a break longer than the grace, others have heard of a leave: what was set is to be set again.
    this.#presenceLost = this.#presence !== undefined;
    const timer = this.#deps.clock.setTimer(RESUME_MAX_MS, () => this.#request());
    this.#enter({ name: "resuming", timer });
  }

  /** The connection is gone. What is held back comes again by recovery. */
  onDown(): void {
    this.#sequence.onDown();
    this.#tries = 0;
    this.#repairs = 0;
    this.#enter({ name: "down" });
  }

  /** Forgets the connection for good; no event follows. */
  stop(): void {
    this.onDown();
    this.#enter({ name: "ended" });
  }

  setPresence(own: Record<string, unknown>): void {
    this.#presence = { ...this.#presence, ...own };
  }

  /** A `message` push of this channel. */
  onMessage(publication: WirePublication): void {
    this.#sequence.hold(publication);
    if (this.#phase.name === "live") this.#drain();
  }

  /** The gateway left messages out, up to `offset` (BP3): no gap, but told. */
  onSkipped(offset: number, count: number): void {
    if (this.#phase.name !== "live") return;
    for (;;) {
      const held = this.#sequence.nextUpTo(offset);
      if (held === undefined) break;
      this.#deliver(held);
    }
    for (const handle of [...this.#handles]) handle.emit("skipped", { count });
    this.#drain();
  }

  /** A `subscribe` push: the session goes on from here, or the channel has a new epoch. */
  onSubscribePush(body: SubscribeBody): void {
    if (this.#phase.name !== "resuming" && this.#phase.name !== "live") return;
    const known = this.position;
    const { offset, epoch } = body;
    const behind = known !== undefined && (epoch !== known.epoch || (offset ?? 0) > known.offset);
    if (body.recovered && behind) this.#request();
    else this.#place(body.recovered && known !== undefined ? { ...body, ...known } : body);
  }

  /** An `unsubscribe` push. */
  onUnsubscribePush(error: AldisError): void {
    this.#refused(error);
  }

  /** An own publication, which may not be pushed to us (PB4). */
  onOwn({ offset, epoch }: StreamPosition, kind: "silent" | "maybe"): void {
    this.#sequence.noteOwn({ offset, epoch }, kind);
  }

  /** A publish to the channel was answered or given up: a gap may be explained now. */
  recheck(): void {
    if (this.#phase.name === "live") this.#drain();
  }

  #enter(phase: Phase): Phase {
    this.#joinTimer?.cancel();
    this.#presenceTimer?.cancel();
    this.#endGap();
    if (this.#phase.name === "resuming" || this.#phase.name === "pausing") {
      this.#phase.timer.cancel();
    }
    this.#phase = phase;
    return phase;
  }

  #request(): void {
    const phase = this.#enter({ name: "subscribing" });
    const { channel, position: since } = this;
    const data = { channel, since, last: this.#last, slow: this.#slow };
    this.#deps.request("subscribe", data, (outcome: Outcome<object>) => {
      if (this.#phase !== phase) return;
      if (!outcome.ok) this.#refused(outcome.error);
      else {
        this.#tries = 0;
        this.#place(outcome.value as SubscribeBody);
      }
    });
  }

  #refused(error: AldisError): void {
    if (error.temporary) {
      for (const handle of this.everyone()) handle.onRefused(error);
      this.#pause(this.#deps.retryDelayMs(this.#tries, error));
      this.#tries += 1;
      return;
    }
    const handles = [...this.everyone()];
    this.stop();
    this.#deps.onEnded(this);
    for (const handle of handles) handle.end(error);
  }

  #pause(delayMs: number): void {
    const timer = this.#deps.clock.setTimer(delayMs, () => this.#request());
    this.#enter({ name: "pausing", timer });
  }

  /** The gateway said where the subscription stands: goes live from there. */
  #place(body: SubscribeBody): void {
    this.#enter({ name: "live" });
    const { offset, epoch } = body;
    if (this.isPattern || offset === undefined || epoch === undefined) {
      this.#tell({ recovered: false, position: undefined });
    } else this.#catchUp(body, { offset, epoch });
    this.#restorePresence();
    this.#drain();
    this.#letAllIn();
  }

  #catchUp(body: SubscribeBody, top: StreamPosition): void {
    const sequence = this.#sequence;
    const { publications = [] } = body;
    const recovered = body.recovered && sequence.position !== undefined;
    if (!recovered) {
      const first = publications[0]?.offset ?? top.offset + 1;
      sequence.startFrom({ offset: first - 1, epoch: top.epoch });
    }
    this.#tell({ recovered, position: top });
    for (const publication of publications) {
      if (sequence.stepTo(publication, top.epoch)) this.#deliver(publication);
    }
    sequence.reach(top);
  }

  #tell(subscribed: { recovered: boolean; position: StreamPosition | undefined }): void {
    for (const handle of [...this.#handles]) handle.onSubscribed(subscribed);
  }

  #deliver(publication: WirePublication): void {
    for (const handle of [...this.#handles]) handle.onMessage(publication);
  }

  /** Delivers what follows; what is held back behind a gap waits for its repair. */
  #drain(): void {
    while (this.#phase.name === "live") {
      const next = this.#sequence.next();
      if (next === undefined) break;
      this.#repairs = 0;
      this.#deliver(next);
    }
    if (this.#phase.name !== "live") return;
    if (this.#sequence.heldCount === 0) this.#endGap();
    else if (!this.#deps.hasPublishOnItsWay(this.channel)) this.#repair();
    else this.#gapTimer ??= this.#deps.clock.setTimer(GAP_MAX_MS, () => this.#repair());
  }

  #endGap(): void {
    this.#gapTimer?.cancel();
    this.#gapTimer = undefined;
  }

  /** Something is missing before what is held back (SU4). */
  #repair(): void {
    this.#repairs += 1;
    if (this.#repairs > REPAIRS_MAX) this.#sequence.forgetHeld();
    if (this.#repairs === 1) this.#request();
    else this.#pause(this.#deps.retryDelayMs(this.#repairs, undefined));
  }

  /** A fresh session does not know what others should see of this user (PR2). */
  #restorePresence(): void {
    if (!this.#presenceLost) return;
    this.#presenceLost = false;
    this.#deps.request("presence", { channel: this.channel, ...this.#presence }, (outcome) => {
      if (outcome.ok || !outcome.error.temporary) return;
      this.#presenceLost = true;
      if (this.#phase.name !== "live") return;
      const delayMs = this.#deps.retryDelayMs(PRESENCE_TRIES, outcome.error);
      this.#presenceTimer = this.#deps.clock.setTimer(delayMs, () => this.#restorePresence());
    });
  }

  /**
   * A handle that came later subscribes once more on the wire (SU5), for the `last` or `since` of its
   * own, and gets what is before the feed's position alone; from there on it shares the feed.
   */
  #letIn(handle: Handle): void {
    const phase = this.#phase;
    const { since, last } = handle.options;
    const data = { channel: this.channel, since, last, slow: this.#slow };
    this.#deps.request("subscribe", data, (outcome) => {
      if (this.#phase !== phase || !this.#joining.has(handle)) return;
      if (outcome.ok) this.#joined(handle, outcome.value as SubscribeBody);
      else if (outcome.error.temporary) {
        const delayMs = this.#deps.retryDelayMs(this.#tries, outcome.error);
        this.#joinTimer?.cancel();
        this.#joinTimer = this.#deps.clock.setTimer(delayMs, () => this.#letAllIn());
      } else {
        this.leave(handle);
        handle.end(outcome.error);
      }
    });
  }

  #letAllIn(): void {
    for (const handle of [...this.#joining]) this.#letIn(handle);
  }

  #joined(handle: Handle, body: SubscribeBody): void {
    const { position } = this;
    const { offset = 0, publications = [] } = body;
    if (position !== undefined && body.epoch !== position.epoch) return this.#request();
    this.#joining.delete(handle);
    this.#handles.add(handle);
    handle.onSubscribed({ recovered: body.recovered, position });
    for (const publication of publications) {
      if (position !== undefined && publication.offset > position.offset)
        this.onMessage(publication);
      else handle.onMessage(publication);
    }
    const behind = offset > (this.position?.offset ?? 0);
    if (behind && this.#phase.name === "live" && !this.#deps.hasPublishOnItsWay(this.channel)) {
      this.#request();
    }
  }
}
