import type { Awaitable } from "../awaitable.ts";
import type { NodeId } from "./node-registry.ts";

/**
 * What came of a request. `gone`: no such node lives. `timeout`: it did not answer within `cluster.requestTimeoutMs`, this time or a moment ago. `unknown`: it is of another version that
 * has no such kind. `failed`: it threw. `busy`: too many requests of this node wait already. `unsent`: too large, or Redis is away.
 */
export type BusAnswer =
  | { readonly ok: true; readonly body: unknown }
  | {
      readonly ok: false;
      readonly cause: "gone" | "timeout" | "unknown" | "failed" | "busy" | "unsent";
    };

/**
 * Takes a message of its kind. `body` is JSON of another process, perhaps of another version: it is to be read field by field. What it
 * gives is the answer, where one is wanted.
 */
export type BusHandler = (body: unknown, from: NodeId) => Awaitable<unknown>;

/**
 * Short messages between nodes, at most once, kept nowhere. Messages of one node to another come in the order in which they were sent, unless the
 * connection to Redis was lost between them. `body` is anything that JSON can hold.
 */
export type NodeBus = {
  /** One handler for each kind. */
  on(kind: string, handler: BusHandler): void;
  /** To one node, this one too. Nobody learns whether it came. */
  send(node: NodeId, kind: string, body: unknown): void;
  /** To all others. */
  broadcast(kind: string, body: unknown): void;
  /** Asks one node, this one too. Never rejects. */
  request(node: NodeId, kind: string, body: unknown): Promise<BusAnswer>;
  close(): Promise<void>;
};
