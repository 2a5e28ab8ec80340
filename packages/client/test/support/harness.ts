import type { WelcomeBody } from "@aldis/protocol";
import type { Surroundings } from "../../src/environment.ts";
import type { Features, Used } from "../../src/feature.ts";
import {
  type Client,
  type ClientOptions,
  type ClientState,
  createClient,
} from "../../src/index.ts";
import type { AnyChannels } from "../../src/types.ts";
import { FakeClock, settled } from "./fake-clock.ts";
import { type FakeSocket, fakeSockets } from "./fake-socket.ts";

/** A page whose network and visibility the test sets. */
export class FakeSurroundings implements Surroundings {
  #online = true;
  #hidden = false;
  readonly #watchers = new Set<() => void>();

  isOnline(): boolean {
    return this.#online;
  }

  isHidden(): boolean {
    return this.#hidden;
  }

  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  set(change: { online?: boolean; hidden?: boolean }): void {
    this.#online = change.online ?? this.#online;
    this.#hidden = change.hidden ?? this.#hidden;
    for (const watcher of [...this.#watchers]) watcher();
  }
}

export const WELCOME: WelcomeBody = {
  protocol: 1,
  connection: "c1",
  session: "s1.secret",
  resumed: false,
  user: { id: "ada" },
  tenant: "default",
  pingIntervalMs: 25_000,
  idleTimeoutMs: 120_000,
  frameMaxBytes: 65_536,
};

/** A client over fake sockets and a fake clock, and the hands on its other end. */
export class Harness<F extends Features = Record<never, never>> {
  readonly clock = new FakeClock();
  readonly surroundings = new FakeSurroundings();
  readonly states: ClientState[] = [];
  readonly errors: unknown[] = [];
  readonly client: Client & Used<F>;
  readonly sockets: FakeSocket[];
  /** What `random` gives. */
  random = 0.5;

  constructor(options: Partial<ClientOptions> & { readonly use?: F } = {}) {
    const { WebSocket, sockets } = fakeSockets();
    this.sockets = sockets;
    this.client = createClient<AnyChannels, F>({
      url: "wss://gateway.test/ws",
      token: "token-1",
      WebSocket,
      clock: this.clock,
      surroundings: this.surroundings,
      random: () => this.random,
      reportError: (error) => this.errors.push(error),
      ...options,
    });
    this.client.on("state", (state) => this.states.push(state));
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  get names(): string[] {
    return this.states.map((state) => state.name);
  }

  async welcome(change: Partial<WelcomeBody> = {}): Promise<FakeSocket> {
    await settled();
    this.socket.accept();
    this.socket.push("welcome", { ...WELCOME, ...change });
    await settled();
    return this.socket;
  }

  async connected(change: Partial<WelcomeBody> = {}): Promise<FakeSocket> {
    this.client.connect();
    return await this.welcome(change);
  }

  /** Cuts the connection and lets the next attempt be welcomed. */
  async reconnected(change: Partial<WelcomeBody> = {}): Promise<FakeSocket> {
    const before = this.sockets.length;
    this.socket.end();
    while (this.sockets.length === before) {
      if (this.clock.nextMs === undefined) throw new Error("the client does not come back");
      await this.clock.advance(this.clock.nextMs);
    }
    return await this.welcome(change);
  }
}

export function pub(channel: string, offset: number): object {
  return { channel, offset, at: 1, data: offset };
}

/** What a `subscribe` is answered with: recovered iff `since` has the epoch. */
export function subscribed(channel: string, offset: number, more: object = {}): object {
  return { channel, recovered: false, offset, epoch: "e1", publications: [], ...more };
}
