const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

type Signal = keyof typeof EXIT_CODES;

/**
 * Signals this close to the first are the same request. A terminal and systemd signal every process of the group, and
 * wrappers (`npx`, `bun run`) pass on what they get: without this one Ctrl-C would be two, and skip the draining.
 */
const ONE_REQUEST_MS = 500;

/** The process as far as its signals go. */
export type SignalSource = {
  readonly on: (signal: Signal, listener: () => void) => void;
  readonly exit: (code: number) => void;
  /** Monotonic, in milliseconds. */
  readonly nowMs: () => number;
};

/**
 * Resolves at the first SIGINT or SIGTERM. A second one ends the process at once: whoever sends it does not want to
 * wait. To be called before the gateway starts, so that no signal finds it running and nobody listening.
 */
export function catchSignals(source: SignalSource = ofThisProcess()): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const onSignal = (signal: Signal): void => {
      const nowMs = source.nowMs();
      if (firstAtMs === undefined) {
        firstAtMs = nowMs;
        resolve();
      } else if (nowMs - firstAtMs >= ONE_REQUEST_MS) {
        source.exit(EXIT_CODES[signal]);
      }
    };
    source.on("SIGINT", () => onSignal("SIGINT"));
    source.on("SIGTERM", () => onSignal("SIGTERM"));
  });
}

function ofThisProcess(): SignalSource {
  return {
    on: (signal, listener) => void process.on(signal, listener),
    exit: (code) => process.exit(code),
    nowMs: () => performance.now(),
  };
}
