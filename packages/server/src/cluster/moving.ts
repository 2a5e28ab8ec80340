import type { Result } from "@aldis/protocol";

/** Clients that are told to move, and over how long. */
export type Told = { readonly connections: number; readonly windowMs: number };

/** Moving this node's clients to other nodes (P6). */
export type Moving = {
  /** It takes no new connections, because of {@link drain} or {@link empty}. */
  readonly draining: boolean;
  /** Has all clients move, and stays; refused when no other node can take them. While it drains: how far it is. */
  drain(): Result<Told>;
  /** Takes connections again. Those who were told to move may still go. Refused while it stops. */
  undrain(): Result<Told>;
  /** As `drain`, because the process ends: whether there is another node or not. Done when they are gone or their time is over. */
  empty(): Promise<void>;
  /** Tells so many to move, chosen at random, and stays as it is; refused when no other node can take them. */
  move(count: number): Result<Told>;
};
