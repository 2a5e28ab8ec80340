import { type ErrorCode, FieldError, refuse } from "@aldis/protocol";

/** To be thrown by an action, a route or a hook: what the caller is answered with. `message` is shown to users: it tells nothing that they may not know. */
export function refusal(code: ErrorCode, message: string): FieldError {
  return new FieldError(refuse(code, message));
}
