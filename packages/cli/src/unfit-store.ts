import type { GatewayOptions } from "@aldis/server";
import { CliFailure, EXIT } from "./console.ts";

/** For a store that the gateway cannot use: what to give to the gateway, and what rejects then with one line for the operator. */
export type UnfitStore = {
  readonly onUnfit: NonNullable<GatewayOptions["onUnfit"]>;
  readonly found: Promise<never>;
};

export function watchStore(): UnfitStore {
  const { promise, reject } = Promise.withResolvers<never>();
  // Whoever waits for it is told all the same.
  promise.catch(() => {});
  return {
    onUnfit: ({ message }) => reject(new CliFailure(`store.url: ${message}`, EXIT.config)),
    found: promise,
  };
}
