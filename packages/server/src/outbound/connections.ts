// Connections that are kept for the next request to the same server. Measured on Bun 1.4.5: node:http's agents do keep them, ask `lookup` only for
// new ones, check the certificate against the name, try one address after another, unpack nothing and take no proxy from the environment.
import {
  type ClientRequest,
  Agent as HttpAgent,
  type AgentOptions as HttpAgentOptions,
} from "node:http";
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from "node:https";
import type { Duplex } from "node:stream";

export type ConnectionsOptions = {
  /** How long one is kept without a request. Below what servers keep them, so that they are not closed under a request. */
  readonly idleMs: number;
  /** Kept without a request, to all servers; the one that has been so for longest is closed. */
  readonly idleMax: number;
  /** Whose certificates are good; undefined: those of the system. */
  readonly ca: string | undefined;
};

export type Connections = {
  readonly plain: HttpAgent;
  readonly secure: HttpsAgent;
  close(): void;
};

export function createConnections({ idleMs, idleMax, ca }: ConnectionsOptions): Connections {
  const idle = new IdleSockets(idleMax);
  // Its time limit closes connections that are idle; requests have one of their own.
  const options = { keepAlive: true, timeout: idleMs, maxFreeSockets: idleMax };
  const plain = new PlainAgent(options, idle);
  const secure = new SecureAgent({ ...options, ...(ca !== undefined && { ca }) }, idle);
  return {
    plain,
    secure,
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

class PlainAgent extends HttpAgent {
  readonly #idle: IdleSockets;

  constructor(options: HttpAgentOptions, idle: IdleSockets) {
    super(options);
    this.#idle = idle;
  }

  override keepSocketAlive(socket: Duplex) {
    this.#idle.add(socket);
    return super.keepSocketAlive(socket);
  }

  override reuseSocket(socket: Duplex, request: ClientRequest) {
    this.#idle.remove(socket);
    return super.reuseSocket(socket, request);
  }
}

class SecureAgent extends HttpsAgent {
  readonly #idle: IdleSockets;

  constructor(options: HttpsAgentOptions, idle: IdleSockets) {
    super(options);
    this.#idle = idle;
  }

  override keepSocketAlive(socket: Duplex) {
    this.#idle.add(socket);
    return super.keepSocketAlive(socket);
  }

  override reuseSocket(socket: Duplex, request: ClientRequest) {
    this.#idle.remove(socket);
    return super.reuseSocket(socket, request);
  }
}

/** Those without a request, the one that has been so for longest first. */
class IdleSockets {
  readonly #max: number;
  readonly #sockets = new Map<Duplex, () => void>();

  constructor(max: number) {
    this.#max = max;
  }

  add(socket: Duplex): void {
    if (this.#sockets.size >= this.#max) {
      const [oldest] = this.#sockets.keys();
      if (oldest !== undefined) this.remove(oldest);
      oldest?.destroy();
    }
    const forget = () => this.remove(socket);
    this.#sockets.set(socket, forget);
    socket.once("close", forget);
  }

  remove(socket: Duplex): void {
    const forget = this.#sockets.get(socket);
    if (forget !== undefined) socket.off("close", forget);
    this.#sockets.delete(socket);
  }
}
