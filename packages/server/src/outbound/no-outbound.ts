import type { Outbound } from "./outbound.ts";

/** Nothing may be called. */
export const NO_OUTBOUND: Outbound = {
  send: async () => ({ kind: "refused", why: "address" }),
  problemOf: () => "nothing may be called from here",
};
