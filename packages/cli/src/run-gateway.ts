import { type Gateway, type GatewayOptions, startGateway } from "@aldis/server";
import { CliFailure } from "./console.ts";

/** Starts a gateway; what the operator can mend is told in one line. */
export function openGateway(options: GatewayOptions): Gateway {
  try {
    return startGateway(options);
  } catch (error) {
    const { port, host } = options.config.listen;
    throw new CliFailure(listenProblem(error, { port, host }));
  }
}

function listenProblem(error: unknown, { port, host }: { port: number; host: string }): string {
  switch ((error as { code?: unknown }).code) {
    case "EADDRINUSE":
      return `port ${port} is taken: stop what uses it, or choose another with --port or ALDIS_PORT`;
    case "EACCES":
      return `port ${port} may not be used by this user: choose one from 1024 on, with --port or ALDIS_PORT`;
    case "EADDRNOTAVAIL":
      return `this machine has no address ${host}: see --host and ALDIS_HOST`;
    default:
      throw error;
  }
}

const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Resolves at the first SIGINT or SIGTERM. A second one ends the process at once: whoever sends it does not want to
 * wait. To be called before the gateway starts, so that no signal finds it running and nobody listening.
 */
export function catchSignals(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const [signal, code] of Object.entries(SIGNAL_CODES)) {
      process.on(signal, () => {
        if (stopping) process.exit(code);
        stopping = true;
        resolve();
      });
    }
  });
}
