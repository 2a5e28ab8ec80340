import { FieldError } from "@aldis/protocol";
import { type Counters, countOne } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { BusAnswer, BusHandler } from "./node-bus.ts";
import type { NodeId } from "./node-registry.ts";

export type BusHandlersDeps = { readonly counters: Counters; readonly log: Log };

/** Who takes which kind of message. Whatever one of them throws stays here; a `FieldError` says that the message is not as it should be. */
export class BusHandlers {
  readonly #deps: BusHandlersDeps;
  readonly #byKind = new Map<string, BusHandler>();

  constructor(deps: BusHandlersDeps) {
    this.#deps = deps;
  }

  on(kind: string, handler: BusHandler): void {
    this.#byKind.set(kind, handler);
  }

  /** Never rejects. */
  async handle(kind: string, body: unknown, from: NodeId): Promise<BusAnswer> {
    const { counters, log } = this.#deps;
    const handler = this.#byKind.get(kind);
    if (handler === undefined) {
      countOne(counters.busIgnored, "unknown");
      return { ok: false, cause: "unknown" };
    }
    try {
      return { ok: true, body: await handler(body, from) };
    } catch (error) {
      if (error instanceof FieldError) {
        countOne(counters.busIgnored, "malformed");
        return { ok: false, cause: "failed" };
      }
      counters.faults++;
      log.error({ err: error, kind, from }, "a message of another node failed");
      return { ok: false, cause: "failed" };
    }
  }
}
