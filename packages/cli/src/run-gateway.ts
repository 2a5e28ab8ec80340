import {
  type Config,
  type Gateway,
  type GatewayOptions,
  PluginUnfit,
  startGateway,
} from "@aldis/server";
import { CliFailure, EXIT } from "./console.ts";

/** Starts a gateway; what the operator can mend is told in one line. */
export function openGateway(options: GatewayOptions): Gateway {
  try {
    return startGateway(options);
  } catch (error) {
    if (error instanceof PluginUnfit) throw new CliFailure(error.message, EXIT.config);
    const tlsProblem = tlsProblemOf(error, options.config.listen);
    if (tlsProblem !== undefined) throw new CliFailure(tlsProblem, EXIT.config);
    throw new CliFailure(listenProblem(error, options.config.listen));
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

/** What is wrong with the certificate or key; undefined: it is something else. */
function tlsProblemOf(error: unknown, { tls }: Config["listen"]): string | undefined {
  if (tls === undefined || !(error instanceof Error)) return undefined;
  const { code, path } = error as { code?: unknown; path?: unknown };
  if (code === "ENOENT" || code === "EACCES") {
    return `listen.tls: cannot read ${typeof path === "string" ? path : "the certificate or key"}`;
  }
  const ofListening = typeof code === "string" && code.startsWith("EADDR");
  return ofListening
    ? undefined
    : `listen.tls: the certificate or key is unusable: ${error.message}`;
}
