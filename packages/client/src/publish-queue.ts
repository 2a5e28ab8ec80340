import type { PublishBody } from "@aldis/protocol";
import type { CommandRequest } from "./commands.ts";
import type { Clock, Timer } from "./environment.ts";
import { AldisError, timedOut } from "./errors.ts";
import { utf8Bytes } from "./frames.ts";
import type { Settle } from "./outcome.ts";

/**
 * The publishes without an answer, in the order made. While connected they go out at once. What could
 * not, or lost its answer with the connection, is backlog: sent one at a time in each channel, and
 * repeated after temporary errors, so that the order holds. The idempotency key makes repeating safe.
 */
export type PublishQueueDeps = {
  readonly clock: Clock;
  readonly max: number;
  readonly maxBytes: number;
  readonly repeatMs: number;
  isConnected(): boolean;
  /** The longest frame that the gateway takes. */
  frameMaxBytes(): number;
  /** How long the frame is that carries `json`, text of so many bytes. */
  frameBytes(json: string, bytes: number): number;
  issue(request: CommandRequest, settle: Settle<object>): () => void;
  retryDelayMs(tries: number, error: AldisError): number;
  /** Called before the publisher hears of it. */
  onPublished(channel: string, body: PublishBody | undefined, options: { silent: boolean }): void;
};

export type PublishRequest = {
  readonly channel: string;
  /** JSON text of the command's `data`. */
  readonly json: string;
  readonly silent: boolean;
  readonly timeoutMs: number | undefined;
};

type Phase =
  | { readonly name: "queued" }
  | { readonly name: "pausing"; readonly timer: Timer }
  | { readonly name: "sent" };

type Entry = PublishRequest & {
  readonly bytes: number;
  readonly settle: Settle<PublishBody>;
  readonly deadline: Timer | undefined;
  phase: Phase;
  backlog: boolean;
  /** The publisher gave up, but the reply may still move the position (PB4). */
  abandoned: boolean;
  firstSentAtMs: number | undefined;
  tries: number;
};

/** A publish that is never answered, though the connection lives, is given up after so many tries. */
const TIMEOUTS_MAX = 3;

export class PublishQueue {
  readonly #deps: PublishQueueDeps;
  #entries: Entry[] = [];
  #bytes = 0;

  constructor(deps: PublishQueueDeps) {
    this.#deps = deps;
  }

  /** `settle` is called once. Returns the function that gives up. */
  add(request: PublishRequest, settle: Settle<PublishBody>): () => void {
    const bytes = utf8Bytes(request.json);
    const { max, maxBytes } = this.#deps;
    if (this.#entries.length >= max || this.#bytes + bytes > maxBytes) {
      const message = `${this.#entries.length} publishes (${this.#bytes} bytes) wait already`;
      settle({ ok: false, error: new AldisError("queue_full", message, { temporary: true }) });
      return () => {};
    }
    const { timeoutMs } = request;
    const deadline =
      timeoutMs === undefined
        ? undefined
        : this.#deps.clock.setTimer(timeoutMs, () => {
            this.#abandon(entry);
            settle({ ok: false, error: timedOut("publish") });
          });
    const entry: Entry = {
      ...request,
      bytes,
      settle,
      deadline,
      phase: { name: "queued" },
      backlog: false,
      abandoned: false,
      firstSentAtMs: undefined,
      tries: 0,
    };
    this.#entries.push(entry);
    this.#bytes += bytes;
    this.flush();
    if (entry.phase.name !== "sent") entry.backlog = true;
    return () => this.#abandon(entry);
  }

  isOnItsWay(channel: string): boolean {
    return this.#entries.some((e) => e.channel === channel && e.phase.name === "sent");
  }

  /** Sends what may go: nothing overtakes backlog of its channel. */
  flush(): void {
    if (!this.#deps.isConnected()) return;
    const blocked = new Set<string>();
    for (const entry of [...this.#entries]) {
      const mayGo = entry.phase.name === "queued" && !blocked.has(entry.channel);
      if (mayGo && !this.#send(entry)) continue;
      if (entry.backlog || entry.phase.name !== "sent") blocked.add(entry.channel);
    }
  }

  /** The connection broke: whether what was sent has arrived is unknown. */
  onDown(): void {
    for (const entry of [...this.#entries]) {
      if (entry.phase.name !== "sent") continue;
      if (entry.abandoned) this.#remove(entry);
      entry.phase = { name: "queued" };
      entry.backlog = true;
    }
  }

  failAll(error: AldisError): void {
    for (const entry of [...this.#entries]) this.#fail(entry, error);
  }

  /** False when it was given up instead. */
  #send(entry: Entry): boolean {
    const { clock } = this.#deps;
    const nowMs = clock.nowMs();
    if (this.#deps.frameBytes(entry.json, entry.bytes) > this.#deps.frameMaxBytes()) {
      this.#fail(entry, new AldisError("too_large", "the message is over the frame limit"));
      return false;
    }
    const unansweredSinceMs = entry.firstSentAtMs;
    entry.firstSentAtMs ??= nowMs;
    if (nowMs - entry.firstSentAtMs > this.#deps.repeatMs) {
      const message =
        "sent, never answered, and too long ago to repeat: it may be published or not";
      this.#fail(entry, new AldisError("unconfirmed", message));
      return false;
    }
    const phase: Phase = { name: "sent" };
    entry.phase = phase;
    const request: CommandRequest = { action: "publish", json: entry.json, patience: "now" };
    this.#deps.issue(request, (outcome) => {
      // After a break the entry is queued or sent anew, and this answer is only its end.
      if (entry.phase !== phase) return;
      if (outcome.ok) this.#published(entry, outcome.value as PublishBody);
      else {
        // A refusal is an answer: this time nothing was published.
        if (outcome.error.code !== "timeout") entry.firstSentAtMs = unansweredSinceMs;
        this.#refused(entry, outcome.error);
      }
      this.flush();
    });
    return true;
  }

  #published(entry: Entry, body: PublishBody): void {
    this.#remove(entry);
    this.#deps.onPublished(entry.channel, body, entry);
    if (!entry.abandoned) entry.settle({ ok: true, value: body });
  }

  #refused(entry: Entry, error: AldisError): void {
    entry.tries += 1;
    // No answer on a living connection: the client checks it, and asks again with the same key.
    const unanswered = error.code === "timeout" && entry.tries < TIMEOUTS_MAX;
    const again = unanswered || (error.temporary && error.code !== "timeout" && entry.backlog);
    if (!again || entry.abandoned) {
      this.#fail(entry, error);
      this.#deps.onPublished(entry.channel, undefined, entry);
      return;
    }
    entry.backlog = true;
    const delayMs = unanswered ? 0 : this.#deps.retryDelayMs(entry.tries, error);
    const timer = this.#deps.clock.setTimer(delayMs, () => {
      entry.phase = { name: "queued" };
      this.flush();
    });
    entry.phase = { name: "pausing", timer };
    this.#deps.onPublished(entry.channel, undefined, entry);
  }

  #abandon(entry: Entry): void {
    if (entry.phase.name === "sent") {
      entry.deadline?.cancel();
      entry.abandoned = true;
    } else this.#remove(entry);
    this.flush();
  }

  #fail(entry: Entry, error: AldisError): void {
    this.#remove(entry);
    if (!entry.abandoned) entry.settle({ ok: false, error });
  }

  #remove(entry: Entry): void {
    const index = this.#entries.indexOf(entry);
    if (index < 0) return;
    this.#entries.splice(index, 1);
    this.#bytes -= entry.bytes;
    entry.deadline?.cancel();
    if (entry.phase.name === "pausing") entry.phase.timer.cancel();
  }
}
