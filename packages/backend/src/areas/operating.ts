// What is not about messages: namespaces, tokens, the cluster, health.
import type { Call } from "../calling/call.ts";
import type { Answer, Body, Query } from "../operations.ts";
import type { CallOptions } from "../options.ts";

export function createNamespaces(call: Call) {
  return {
    /** The options that are in force. */
    async list(options?: CallOptions): Promise<Answer<"getNamespaces">["namespaces"]> {
      return (await call("getNamespaces", {}, options)).namespaces;
    },

    /** Replaces a namespace's options: those left out take their defaults. */
    set: (name: string, body: Body<"putNamespacesName">, options?: CallOptions) =>
      call("putNamespacesName", { path: { name }, body }, options),

    remove: (name: string, options?: CallOptions) =>
      call("deleteNamespacesName", { path: { name } }, options),
  };
}

/** What the gateway takes a user's token for; the key is not needed. */
export function createTokens(call: Call) {
  return {
    /** Whose it is and what it allows. Fails with `unauthorized` when it is refused. */
    identify: (token: string, options?: CallOptions) =>
      call("getAuthMe", { bearer: token }, options),

    /** Whether it is accepted. */
    verify: (token: string, options?: CallOptions) =>
      call("getAuthVerify", { bearer: token }, options),
  };
}

/** For keys that name the scope `cluster`. */
export function createCluster(call: Call) {
  return {
    async nodes(options?: CallOptions): Promise<Answer<"getClusterNodes">["nodes"]> {
      return (await call("getClusterNodes", {}, options)).nodes;
    },

    /** Moves a node's clients to the others and keeps new ones away from it. */
    drain: (node: string, options?: CallOptions) =>
      call("postClusterNodesNodeDrain", { path: { node } }, options),

    undrain: (node: string, options?: CallOptions) =>
      call("postClusterNodesNodeUndrain", { path: { node } }, options),

    /** Asks so many clients of a node to move. */
    move: (node: string, connections: number, options?: CallOptions) =>
      call("postClusterNodesNodeMove", { path: { node }, body: { connections } }, options),

    /** Evens out how many clients each node has. */
    rebalance: (options?: CallOptions) => call("postClusterRebalance", {}, options),
  };
}

/** What the tenant has used, day by day (UTC); for keys with the scope `usage`. `from` and `to` are days such as `2026-11-01`. */
export function createUsage(call: Call) {
  return (range: Query<"getUsage"> = {}, options?: CallOptions): Promise<Answer<"getUsage">> =>
    call("getUsage", { query: range }, options);
}

export function createHealth(call: Call) {
  return {
    live: (options?: CallOptions) => call("getHealthLive", {}, options),

    /** Whether it takes connections; else `waitsFor` says what is away. */
    ready: (options?: CallOptions) => call("getHealthReady", { also: 503 }, options),

    /** The figures in the Prometheus text format; for keys with the scope `metrics`. */
    metrics: (options?: CallOptions) => call("getMetrics", {}, options),
  };
}
