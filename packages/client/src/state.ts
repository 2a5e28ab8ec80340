import type { WelcomeBody } from "@aldis/protocol";
import type { AldisError } from "./errors.ts";

/**
 * Where the client stands, never better than it is: `connected` only after the gateway's `welcome`.
 * `idle`: {@link connect} was not called yet. `waiting`: the last attempt failed or the connection
 * broke; it comes back by itself, at `nextAttemptAt` (Unix milliseconds), or when the network
 * returns if that is null. `closed`: it does not come back unless `connect` is called.
 */
export type ClientState =
  | { readonly name: "idle" }
  | { readonly name: "connecting"; readonly attempt: number }
  | ConnectedState
  | {
      readonly name: "waiting";
      readonly attempt: number;
      readonly nextAttemptAt: number | null;
      readonly cause: AldisError;
    }
  | { readonly name: "closed"; readonly cause: AldisError };

export type ConnectedState = {
  readonly name: "connected";
  /** The connection's id, as others see it in `from`. */
  readonly connection: string;
  readonly user: WelcomeBody["user"];
  readonly tenant: string;
  /** True when the session before the break was continued. */
  readonly resumed: boolean;
};
