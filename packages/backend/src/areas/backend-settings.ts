import type { Call } from "../calling/call.ts";
import type { Body } from "../operations.ts";
import type { CallOptions } from "../options.ts";

/** Which backend the gateway calls, and for what. */
export function createBackendSettings(call: Call) {
  return {
    get: (options?: CallOptions) => call("getBackend", {}, options),

    /**
     * In place of all that was set before. Without a `secret` the former one stays, or one is made, which the answer shows this once: such a call
     * is not sent again when the answer is lost.
     */
    set(body: Body<"putBackend">, options?: CallOptions) {
      return call("putBackend", { body, repeatable: body.secret !== undefined }, options);
    },

    /** No backend is called any more. */
    remove: (options?: CallOptions) => call("deleteBackend", {}, options),
  };
}
