import type { ErrorBody } from "@aldis/protocol";
import type { Clock, Timer } from "./environment.ts";
import { AldisError, disconnected, errorOf, timedOut } from "./errors.ts";
import { commandFrame, type Frame } from "./frames.ts";
import type { Outcome, Settle } from "./outcome.ts";

/**
 * `now`: fails when there is no connection or it breaks. `once`: waits for a connection, but is never
 * sent twice. `repeat`: waits, and is sent again on the next connection, for what may be done twice.
 */
export type Patience = "now" | "once" | "repeat";

export type CommandRequest = {
  readonly action: string;
  /** JSON text of the command's `data`. */
  readonly json: string;
  readonly patience: Patience;
};

type Pending = CommandRequest & {
  readonly settle: Settle<object>;
  readonly timer: Timer;
  sent: boolean;
};

export type CommandsDeps = {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Beyond this many open commands, those that could wait are refused with `queue_full`. */
  readonly pendingMax: number;
  /** False when there is no connection. */
  send(frame: string): boolean;
  /** A command that was sent got no answer in time. */
  onTimeout(): void;
};

/** The commands that wait for a reply, by id. Ids are never used twice. */
export class Commands {
  readonly #deps: CommandsDeps;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(deps: CommandsDeps) {
    this.#deps = deps;
  }

  /** `settle` is called once, never from within this call. Returns the function that forgets the command. */
  issue(request: CommandRequest, settle: Settle<object>): () => void {
    const { clock, pendingMax, timeoutMs } = this.#deps;
    this.#lastId += 1;
    const id = this.#lastId;
    if (request.patience !== "now" && this.#pending.size >= pendingMax) {
      return this.#refuse(
        settle,
        new AldisError("queue_full", `${pendingMax} commands wait already`, { temporary: true }),
      );
    }
    const sent = this.#deps.send(commandFrame(request.action, id, request.json));
    if (!sent && request.patience === "now") return this.#refuse(settle, disconnected());
    const timer = clock.setTimer(timeoutMs, () => this.#expire(id));
    this.#pending.set(id, { ...request, settle, timer, sent });
    return () => {
      timer.cancel();
      this.#pending.delete(id);
    };
  }

  /** A frame with an id. */
  onReply(frame: Frame): void {
    if (typeof frame.id !== "number") return;
    const { id } = frame;
    if (frame.action === "error") {
      this.#settle(id, { ok: false, error: errorOf(frame.data as ErrorBody) });
    } else this.#settle(id, { ok: true, value: frame.data });
  }

  /** A connection is there: sends what waited for it, oldest first. */
  onConnected(): void {
    for (const [id, command] of this.#pending) {
      if (!command.sent) {
        command.sent = this.#deps.send(commandFrame(command.action, id, command.json));
      }
    }
  }

  /** The connection broke. */
  onDown(): void {
    for (const [id, command] of [...this.#pending]) {
      if (command.sent && command.patience !== "repeat") {
        this.#settle(id, { ok: false, error: disconnected() });
      } else command.sent = false;
    }
  }

  failAll(error: AldisError): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id, { ok: false, error });
  }

  #refuse(settle: Settle<object>, error: AldisError): () => void {
    const timer = this.#deps.clock.setTimer(0, () => settle({ ok: false, error }));
    return () => timer.cancel();
  }

  #expire(id: number): void {
    const command = this.#pending.get(id);
    if (command === undefined) return;
    this.#settle(id, { ok: false, error: timedOut(command.action) });
    if (command.sent) this.#deps.onTimeout();
  }

  #settle(id: number, outcome: Outcome<object>): void {
    const command = this.#pending.get(id);
    if (command === undefined) return;
    this.#pending.delete(id);
    command.timer.cancel();
    command.settle(outcome);
  }
}
