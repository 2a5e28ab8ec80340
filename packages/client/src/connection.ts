import {
  type ErrorBody,
  isAnnouncedClose,
  retryAfterClose,
  type WelcomeBody,
} from "@aldis/protocol";
import { fullJitterMs } from "./backoff.ts";
import type { Environment, Timer } from "./environment.ts";
import { AldisError, disconnected, errorOf, timedOut } from "./errors.ts";
import { commandFrame, type Frame } from "./frames.ts";
import { Liveness } from "./liveness.ts";
import type { ConnectionOptions } from "./options.ts";
import type { ClientState } from "./state.ts";
import type { Tokens } from "./tokens.ts";
import { openTransport, type Transport } from "./transport.ts";

/**
 * Keeps one connection: opens it, watches it, and comes back after a break by the rules of
 * docs/protocol.md section 13. Knows nothing of channels.
 */
export type ConnectionDeps = {
  readonly environment: Environment;
  readonly options: ConnectionOptions;
  readonly tokens: Tokens;
  /** `data` of the `connect` command beside the token. */
  hello(): object;
  onWelcome(welcome: WelcomeBody): void;
  /** Every frame after `welcome`, except what the connection answers itself. */
  onFrame(frame: Frame): void;
  ping(): void;
  /** A welcomed connection is gone. */
  onDown(): void;
  /** The client does not come back. */
  onClosed(cause: AldisError): void;
  onState(state: ClientState): void;
};

type Phase =
  | { readonly name: "idle" | "closed" }
  | { readonly name: "preparing"; readonly abort: AbortController; readonly timer: Timer }
  | Opening
  | Open
  | { readonly name: "waiting"; readonly timer: Timer | undefined; readonly cause: AldisError };

type Opening = {
  readonly name: "opening";
  readonly transport: Transport;
  readonly timer: Timer;
  /** What the gateway said before it closed. */
  refusal: AldisError | undefined;
};

type Open = {
  readonly name: "open";
  readonly transport: Transport;
  readonly liveness: Liveness;
  readonly stable: Timer;
  move: Timer | undefined;
  /** The latest error that answered no command. */
  refusal: AldisError | undefined;
};

/** Sent when the client leaves a connection to open the next: its session is kept (SE8). */
const LEAVE_CODE = 4000;

/** After this many failed attempts a page that nobody looks at tries at the longest pace only. */
const HIDDEN_ATTEMPTS = 3;

/** A machine without network still reaches itself. */
const LOOPBACK = /^wss?:\/\/(localhost|127\.|\[::1\])/i;

export class Connection {
  readonly #deps: ConnectionDeps;
  #phase: Phase = { name: "idle" };
  #state: ClientState = { name: "idle" };
  /** Attempts since the last stable connection. */
  #attempt = 0;
  /** Monotonic milliseconds before which the gateway does not want to see this client. */
  #notBeforeMs = 0;
  #unwatch: () => void = () => {};

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  get state(): ClientState {
    return this.#state;
  }

  connect(): void {
    if (this.#phase.name !== "idle" && this.#phase.name !== "closed") return;
    this.#attempt = 0;
    this.#unwatch = this.#deps.environment.surroundings.watch(() => this.#surroundingsChanged());
    this.#prepare();
  }

  close(cause: AldisError): void {
    if (this.#phase.name === "closed") return;
    this.#unwatch();
    this.#leave({ name: "closed" }, 1000, "closed by the application");
    this.#deps.onClosed(cause);
    this.#setState({ name: "closed", cause });
  }

  /** False when there is no welcomed connection. */
  send(text: string): boolean {
    if (this.#phase.name !== "open") return false;
    this.#phase.transport.send(text);
    return true;
  }

  /** Makes sure that the connection still lives, and replaces it if not. */
  probe(): void {
    if (this.#phase.name === "open") this.#phase.liveness.probe();
  }

  /** Gives the connection up for a new one, after `afterMs` (a `reconnect` push). */
  moveAfter(afterMs: number): void {
    const phase = this.#phase;
    if (phase.name !== "open") return;
    const { clock } = this.#deps.environment;
    this.#notBeforeMs = clock.monotonicMs() + afterMs;
    phase.move?.cancel();
    phase.move = clock.setTimer(afterMs, () => {
      this.#leave({ name: "idle" }, LEAVE_CODE, "moving");
      this.#prepare();
    });
  }

  #setState(state: ClientState): void {
    this.#state = state;
    this.#deps.onState(state);
  }

  /** Ends the phase, whatever it is, and all that belongs to it. */
  #leave(next: Phase, code: number, reason: string): void {
    const phase = this.#phase;
    this.#phase = next;
    switch (phase.name) {
      case "preparing":
        phase.abort.abort();
        phase.timer.cancel();
        return;
      case "opening":
        phase.timer.cancel();
        phase.transport.close(code, reason);
        return;
      case "open":
        phase.liveness.stop();
        phase.stable.cancel();
        phase.move?.cancel();
        phase.transport.close(code, reason);
        this.#deps.onDown();
        return;
      case "waiting":
        phase.timer?.cancel();
        return;
      case "idle":
      case "closed":
        return;
    }
  }

  #prepare(): void {
    const { environment, options, tokens } = this.#deps;
    const abort = new AbortController();
    const timer = environment.clock.setTimer(options.connectTimeoutMs, () =>
      this.#retry(timedOut("fetching the token")),
    );
    const phase: Phase = { name: "preparing", abort, timer };
    this.#leave(phase, LEAVE_CODE, "reconnecting");
    this.#attempt += 1;
    this.#setState({ name: "connecting", attempt: this.#attempt });
    tokens.get(environment.clock.nowMs(), abort.signal).then(
      (token) => {
        if (this.#phase === phase) this.#open(token);
      },
      (error: AldisError) => {
        if (this.#phase !== phase) return;
        if (error.temporary) this.#retry(error);
        else this.close(error);
      },
    );
  }

  #open(token: string | undefined): void {
    const { environment, options } = this.#deps;
    const hello = JSON.stringify({ token, batch: options.batch, ...this.#deps.hello() });
    let transport: Transport;
    try {
      transport = openTransport(environment.WebSocket, options, {
        onOpen: () => transport.send(commandFrame("connect", undefined, hello)),
        onFrame: (frame) => this.#onFrame(frame),
        onClose: (code, reason) => this.#onClose(code, reason),
      });
    } catch (cause) {
      this.close(new AldisError("bad_request", `cannot open ${options.url}`, { cause }));
      return;
    }
    const timer = environment.clock.setTimer(options.connectTimeoutMs, () =>
      this.#retry(timedOut("connecting")),
    );
    this.#leave({ name: "opening", transport, timer, refusal: undefined }, 0, "");
  }

  #onFrame(frame: Frame): void {
    if (this.#phase.name === "open") {
      this.#phase.liveness.heard();
      if (frame.action === "error" && frame.id === undefined) {
        this.#phase.refusal = errorOf(frame.data as ErrorBody);
      }
      this.#deps.onFrame(frame);
    } else if (this.#phase.name === "opening") {
      if (frame.action === "welcome") this.#welcome(this.#phase, frame.data as WelcomeBody);
      if (frame.action === "error") this.#phase.refusal = errorOf(frame.data as ErrorBody);
    }
  }

  #welcome(opening: Opening, welcome: WelcomeBody): void {
    const { environment, options, tokens } = this.#deps;
    opening.timer.cancel();
    const liveness = new Liveness(
      environment.clock,
      { intervalMs: welcome.pingIntervalMs, timeoutMs: options.pingTimeoutMs },
      { ping: () => this.#deps.ping(), onDead: () => this.#retry(timedOut("ping")) },
    );
    const stable = environment.clock.setTimer(options.stableMs, () => {
      this.#attempt = 0;
    });
    const { transport } = opening;
    this.#phase = {
      name: "open",
      transport,
      liveness,
      stable,
      move: undefined,
      refusal: undefined,
    };
    tokens.accepted(welcome.expiresAt);
    const { connection, user, tenant, resumed } = welcome;
    this.#state = { name: "connected", connection, user, tenant, resumed };
    this.#deps.onWelcome(welcome);
    this.#deps.onState(this.#state);
  }

  #onClose(closeCode: number, reason: string): void {
    const refusal = this.#refusalBefore(closeCode);
    const said = refusal?.message ?? (reason || "the connection broke");
    const details = { closeCode, retryAfterMs: refusal?.retryAfterMs };
    switch (retryAfterClose(closeCode)) {
      case "no":
        this.close(new AldisError("closed", said, details));
        return;
      case "with-new-token": {
        const { tokens } = this.#deps;
        const { renewable } = tokens;
        tokens.refuse();
        const cause = new AldisError("unauthorized", said, { ...details, temporary: renewable });
        if (renewable) this.#retry(cause);
        else this.close(cause);
        return;
      }
      case "yes":
        this.#retry(
          new AldisError(refusal?.code ?? disconnected().code, said, {
            ...details,
            temporary: true,
          }),
        );
        return;
    }
  }

  /** What the gateway said right before it closed. On an open connection errors come at any time: there only the code tells. */
  #refusalBefore(closeCode: number): AldisError | undefined {
    const phase = this.#phase;
    if (phase.name === "opening") return phase.refusal;
    const isAnnounced = phase.name === "open" && isAnnouncedClose(closeCode);
    return isAnnounced ? phase.refusal : undefined;
  }

  /** Leaves what is there and waits for the next attempt. */
  #retry(cause: AldisError): void {
    const { clock } = this.#deps.environment;
    if (cause.retryAfterMs !== undefined) {
      this.#notBeforeMs = Math.max(this.#notBeforeMs, clock.monotonicMs() + cause.retryAfterMs);
    }
    this.#wait(cause, this.#jitterMs());
  }

  #wait(cause: AldisError, jitterMs: number): void {
    const { clock } = this.#deps.environment;
    if (this.#isOffline()) {
      this.#leave({ name: "waiting", timer: undefined, cause }, LEAVE_CODE, "reconnecting");
      this.#setState({ name: "waiting", attempt: this.#attempt, nextAttemptAt: null, cause });
      return;
    }
    const delayMs = Math.max(0, this.#notBeforeMs - clock.monotonicMs()) + jitterMs;
    const timer = clock.setTimer(delayMs, () => this.#prepare());
    this.#leave({ name: "waiting", timer, cause }, LEAVE_CODE, "reconnecting");
    const nextAttemptAt = clock.nowMs() + delayMs;
    this.#setState({ name: "waiting", attempt: this.#attempt, nextAttemptAt, cause });
  }

  #jitterMs(): number {
    const { environment, options } = this.#deps;
    const failed = Math.max(0, this.#attempt - 1);
    const hidden = environment.surroundings.isHidden() && failed >= HIDDEN_ATTEMPTS;
    return fullJitterMs(
      options.backoff,
      hidden ? Number.POSITIVE_INFINITY : failed,
      environment.random,
    );
  }

  #isOffline(): boolean {
    const { environment, options } = this.#deps;
    return !environment.surroundings.isOnline() && !LOOPBACK.test(options.url);
  }

  /** The network came or went, or the page was shown or hidden. */
  #surroundingsChanged(): void {
    const { environment, options } = this.#deps;
    const phase = this.#phase;
    if (phase.name === "open") {
      if (!environment.surroundings.isHidden()) phase.liveness.probe();
    } else if (phase.name === "waiting") {
      if (this.#isOffline()) this.#wait(phase.cause, 0);
      else if (!environment.surroundings.isHidden() || phase.timer === undefined) {
        this.#wait(phase.cause, fullJitterMs(options.backoff, 0, environment.random));
      }
    }
  }
}
