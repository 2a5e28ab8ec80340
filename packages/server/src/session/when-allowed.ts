import type { Command } from "@aldis/protocol";
import type { Awaitable } from "../awaitable.ts";
import type { Verdict } from "./hooks.ts";
import type { Session } from "./session.ts";

/** Goes on with a command unless somebody objects: in this turn where that is known, and not at all when the session has gone meanwhile. */
export function whenAllowed(
  session: Session,
  command: Command,
  verdict: Awaitable<Verdict>,
  goOn: () => void,
): void {
  if (verdict === undefined) return goOn();
  if (!(verdict instanceof Promise)) return session.refuse(command, verdict);
  const decided = verdict.then((refusal) => {
    if (!session.authenticated) return;
    if (refusal === undefined) goOn();
    else session.refuse(command, refusal);
  });
  void session.deps.inFlight.track(
    session,
    decided.catch((error: unknown) => session.fail(command, error)),
  );
}
