import type { ChatMarksBody } from "@aldis/protocol";
import type { Timer } from "../environment.ts";

/** Marks are told after so long together: one who scrolls reads many messages. */
const TELL_AFTER_MS = 300;
/** The gateway counts no further (CT20). */
export const UNREAD_MAX = 100;

export type MarksDeps = {
  /** Tells, or with nothing asks for, one's marks. */
  ask(marks: { read?: number; delivered?: number }): Promise<ChatMarksBody>;
  setTimer(delayMs: number, run: () => void): Timer;
  onChange(): void;
};

/** How far one has read in a room, and how much is unread. Marks only go forward. */
export class Marks {
  readonly #deps: MarksDeps;
  read = 0;
  delivered = 0;
  unread = 0;
  #toldRead = 0;
  #toldDelivered = 0;
  #timer: Timer | undefined;
  /** Messages of others so far: a count that was asked for before the latest leaves it out. */
  #news = 0;
  #isClosed = false;

  constructor(deps: MarksDeps) {
    this.#deps = deps;
  }

  /** As the gateway knows them: an answer, or what another device did (CT27). */
  know({ read, delivered, unread }: ChatMarksBody): void {
    this.#toldRead = Math.max(this.#toldRead, read);
    this.#toldDelivered = Math.max(this.#toldDelivered, delivered);
    // What was marked here since then counts more.
    if (read >= this.read) this.unread = unread;
    this.read = Math.max(this.read, read);
    this.delivered = Math.max(this.delivered, delivered);
    this.#deps.onChange();
  }

  /** Somebody else has said something. */
  noteNew(seq: number): void {
    this.#news++;
    if (seq > this.read) this.unread = Math.min(UNREAD_MAX, this.unread + 1);
  }

  /** `top`: the latest message that is known. */
  markRead(seq: number, top: number): void {
    if (seq <= this.read) return;
    this.read = seq;
    this.delivered = Math.max(this.delivered, seq);
    if (seq >= top) this.unread = 0;
    this.#deps.onChange();
    this.#tellSoon();
  }

  markDelivered(seq: number): void {
    if (seq <= this.delivered) return;
    this.delivered = seq;
    this.#tellSoon();
  }

  /** What the count was of has changed, or what was told may be lost: both are put right. */
  refresh(): void {
    this.#tellSoon();
  }

  close(): void {
    this.#timer?.cancel();
    this.#isClosed = true;
    // The last word of a page that closes the room; nobody waits for its answer.
    if (this.read > this.#toldRead) this.#tell();
  }

  #tellSoon(): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#deps.setTimer(TELL_AFTER_MS, () => {
      this.#timer = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    const { read, delivered } = this;
    const marks: { read?: number; delivered?: number } = {};
    if (read > 0) marks.read = read;
    if (delivered > this.#toldDelivered) marks.delivered = delivered;
    const news = this.#news;
    // Refused or lost: they are told with the next ones, and after the next break.
    this.#deps.ask(marks).then(
      (body) => {
        this.know(body);
        if (news !== this.#news) this.#tellSoon();
      },
      () => {},
    );
  }
}
