import type { ChatHistoryBody, ChatMessage } from "@aldis/protocol";
import type { Timer } from "../environment.ts";
import type { AldisError } from "../errors.ts";
import type { FeatureTools } from "../feature.ts";
import type { Timeline } from "./timeline.ts";

const PAGE = 50;
/** The most that one call brings (CT15). */
export const PAGE_MAX = 200;
/** What is missing is asked for so often; then it is nowhere. */
const GAP_TRIES = 5;
/** Changes that are kept until a page is there. */
const LATE_MAX = 500;

export type PagesDeps = {
  readonly timeline: Timeline;
  readonly tools: FeatureTools;
  ask(bounds: object): Promise<ChatHistoryBody>;
  /** Reads what there is beside messages. */
  learn(): Promise<void>;
  /** What was read may have been unread. */
  countAnew(): void;
  isEnded(): boolean;
  onLive(): void;
  onRefused(error: AldisError): void;
  onChange(): void;
};

type Change = {
  readonly seq: number;
  readonly make: (message: ChatMessage) => ChatMessage;
};

/** What reads a room's messages into its timeline: by pages, and by mending what is missing. */
export class Pages {
  readonly #deps: PagesDeps;
  /** One after another, so that each page begins where the last one ended. */
  #reading: Promise<void> = Promise.resolve();
  #reads = 0;
  /** Changes heard while a page was read, which may have been read before them. */
  #late: Change[] = [];
  #tries = 0;
  #timer: Timer | undefined;

  constructor(deps: PagesDeps) {
    this.#deps = deps;
  }

  older(limit = PAGE): Promise<void> {
    const { timeline, ask } = this.#deps;
    return this.#read(async () => {
      const { start } = timeline;
      if (start === undefined || !timeline.hasOlder) return;
      timeline.addOlder(await ask({ before: start, limit }), start);
    });
  }

  newer(limit = PAGE): Promise<void> {
    const { timeline, ask } = this.#deps;
    return this.#read(async () => {
      if (timeline.hasNewer) timeline.addNewer(await ask({ after: timeline.end, limit }));
    });
  }

  /** Around a message, or the latest. */
  jump(around: number | undefined): Promise<void> {
    const { timeline, ask } = this.#deps;
    return this.#read(async () => timeline.reset(await ask({ around, limit: PAGE })));
  }

  /** Changes a message that is known, or in a page that is being read. `make` returns what it was given where nothing is new. */
  change(seq: number, make: Change["make"]): void {
    if (this.#reads > 0 && this.#late.length < LATE_MAX) this.#late.push({ seq, make });
    this.#deps.timeline.update(seq, make);
  }

  /** Reads what is missing; `everything`: edits may have been missed, too. What fails for now is tried again. */
  mend(what: "everything" | "end"): void {
    const { timeline, isEnded, learn } = this.#deps;
    this.#read(async () => {
      if (isEnded()) return;
      if (what === "everything" || !timeline.isLoaded) {
        await this.#reload();
        await learn();
        this.#tries = 0;
      } else if (timeline.isMissingSome) await this.#readGap();
    }).then(
      () => this.#mendGap(),
      (error: AldisError) => this.#onFailed(what, error),
    );
  }

  close(): void {
    this.#timer?.cancel();
  }

  #read(run: () => Promise<void>): Promise<void> {
    this.#reads++;
    const done = this.#reading.then(run).finally(() => {
      this.#applyLate();
      if (--this.#reads === 0) this.#late = [];
      this.#deps.onChange();
    });
    this.#reading = done.catch(() => {});
    return done;
  }

  #applyLate(): void {
    for (const { seq, make } of this.#late) this.#deps.timeline.update(seq, make);
  }

  async #reload(): Promise<void> {
    const { timeline, ask, isEnded, onLive, onChange } = this.#deps;
    const around = timeline.hasNewer ? timeline.end : undefined;
    const page = await ask({ around, limit: PAGE });
    if (isEnded()) return;
    timeline.reset(page);
    this.#applyLate();
    onLive();
    onChange();
  }

  async #readGap(): Promise<void> {
    const { timeline, ask, countAnew } = this.#deps;
    const { end } = timeline;
    const page = await ask({ after: end, limit: PAGE_MAX });
    // So much was missed that one goes on with what is said now.
    if (page.newer) await this.#reload();
    else timeline.addNewer(page);
    this.#tries = timeline.end > end ? 0 : this.#tries + 1;
    countAnew();
  }

  /** What is missing was committed before what came: that the store does not tell it is a matter of moments, or for good. */
  #mendGap(): void {
    const { timeline, isEnded } = this.#deps;
    if (!timeline.isMissingSome || isEnded()) return;
    if (this.#tries === 0) return this.mend("end");
    if (this.#tries < GAP_TRIES) return this.#mendLater("end", undefined);
    this.#tries = 0;
    timeline.giveUp();
  }

  #onFailed(what: "everything" | "end", error: AldisError): void {
    const { isEnded, onRefused } = this.#deps;
    // The client was closed: should it connect again, the subscription says so.
    if (isEnded() || error.code === "closed") return;
    if (!error.temporary) return onRefused(error);
    this.#tries++;
    this.#mendLater(what, error);
  }

  #mendLater(what: "everything" | "end", error: AldisError | undefined): void {
    const { tools } = this.#deps;
    this.#timer?.cancel();
    const delayMs = tools.retryDelayMs(this.#tries, error);
    this.#timer = tools.clock.setTimer(delayMs, () => this.mend(what));
  }
}
