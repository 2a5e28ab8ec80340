import type { Identity } from "../auth/identity.ts";
import type { WaitingFrames } from "./waiting-frames.ts";

/**
 * The phases of a session on its connection:
 * `opening` → `verifying` → `connected` ⇄ `refreshing`, and from each of them to `closed`.
 */
export type SessionState =
  | { readonly name: "opening" }
  /** Frames that came before the verdict; they are handled in order after it. */
  | { readonly name: "verifying"; readonly waiting: WaitingFrames }
  | { readonly name: "connected"; readonly identity: Identity }
  /** A new token is judged; the old one goes on meanwhile, and frames wait as above. */
  | {
      readonly name: "refreshing";
      readonly identity: Identity;
      readonly waiting: WaitingFrames;
    }
  | { readonly name: "closed" };

export const OPENING: SessionState = { name: "opening" };
export const CLOSED: SessionState = { name: "closed" };

/** What to do with a frame of an action in a state. */
export type Ruling = "handle" | "wait" | "require-token" | "ignore" | "refuse";

/** Pure: decides by the state alone (docs/protocol.md AU2, AU4). */
export function rule(state: SessionState, action: string): Ruling {
  switch (state.name) {
    case "opening":
      return action === "connect" || action === "ping" ? "handle" : "require-token";
    case "verifying":
    case "refreshing":
      return "wait";
    case "connected":
      return action === "connect" ? "refuse" : "handle";
    case "closed":
      return "ignore";
    default:
      return state satisfies never;
  }
}
