import { fullJitterMs } from "./backoff.ts";
import type { Environment, Timer } from "./environment.ts";
import type { AldisError } from "./errors.ts";
import type { Outcome, Settle } from "./outcome.ts";
import type { Tokens } from "./tokens.ts";

export type RefresherDeps = {
  readonly environment: Environment;
  readonly tokens: Tokens;
  request(action: string, data: object, settle: Settle<object>): void;
  onError(error: AldisError): void;
};

const RETRY = { minMs: 1_000, maxMs: 5_000 };

/**
 * Brings a new token to the live connection when the gateway asks (AU6). Failures are told and retried
 * until the connection ends, which the gateway sees to when the old token does (AU7).
 */
export class Refresher {
  readonly #deps: RefresherDeps;
  #running: { readonly abort: AbortController; timer: Timer | undefined } | undefined;
  /** The gateway asked once more meanwhile: the token that is on its way may be older than the cause. */
  #again = false;

  constructor(deps: RefresherDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { tokens } = this.#deps;
    this.#again = true;
    if (this.#running !== undefined || !tokens.renewable) return;
    this.#running = { abort: new AbortController(), timer: undefined };
    this.#fetch();
  }

  /** The connection is gone. */
  stop(): void {
    this.#running?.abort.abort();
    this.#running?.timer?.cancel();
    this.#running = undefined;
  }

  #fetch(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#again = false;
    this.#deps.tokens.fetch(running.abort.signal).then(
      (token) => {
        if (this.#running !== running) return;
        this.#deps.request("refresh", { token }, (outcome) => {
          if (this.#running === running) this.#answered(outcome);
        });
      },
      (error: AldisError) => {
        if (this.#running === running) this.#failed(error);
      },
    );
  }

  #answered(outcome: Outcome<object>): void {
    const { tokens } = this.#deps;
    if (outcome.ok) {
      tokens.accepted((outcome.value as { expiresAt?: number }).expiresAt);
      this.stop();
      if (this.#again) this.start();
      return;
    }
    if (outcome.error.code === "unauthorized") tokens.refuse();
    this.#failed(outcome.error);
  }

  #failed(error: AldisError): void {
    const { environment } = this.#deps;
    const running = this.#running;
    if (running === undefined) return;
    this.#deps.onError(error);
    const delayMs = RETRY.minMs + fullJitterMs(RETRY, 3, environment.random);
    running.timer = environment.clock.setTimer(delayMs, () => this.#fetch());
  }
}
