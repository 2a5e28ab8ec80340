import { BusHandlers, type BusHandlersDeps } from "./bus-handlers.ts";
import type { NodeBus } from "./node-bus.ts";
import type { NodeId } from "./node-registry.ts";

/** The bus of a node that is alone. Its own messages come to it as from a peer, a turn later. */
export function createLocalNodeBus(self: NodeId, deps: BusHandlersDeps): NodeBus {
  const handlers = new BusHandlers(deps);
  return {
    on: (kind, handler) => handlers.on(kind, handler),
    send(node, kind, body) {
      if (node === self) queueMicrotask(() => void handlers.handle(kind, body, self));
    },
    broadcast() {},
    request: async (node, kind, body) =>
      node === self ? handlers.handle(kind, body, self) : { ok: false, cause: "gone" },
    close: () => Promise.resolve(),
  };
}
