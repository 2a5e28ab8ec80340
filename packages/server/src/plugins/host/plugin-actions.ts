// Commands of clients that plugins answer. Called by the core for actions that it does not know itself.
import { type ExtensionCommand, type Fields, refuse } from "@aldis/protocol";
import type { Awaitable } from "../../awaitable.ts";
import type { ActionHandler } from "../../session/actions.ts";
import { takeAnswer } from "../../session/rate-gate.ts";
import type { Session } from "../../session/session.ts";
import type { Clock } from "../../time/clock.ts";
import type { PluginContext } from "../context.ts";
import type { PluginAction } from "../plugin-action.ts";
import { bodyText } from "./body-text.ts";
import { inTime, settled } from "./in-time.ts";
import type { PluginFaults } from "./plugin-faults.ts";
import { readerOf } from "./read-input.ts";
import { SessionView } from "./session-view.ts";

export type ActionLimits = {
  readonly actionTimeLimitMs: number;
  /** Commands of one connection that wait for plugins at once. */
  readonly actionsPerConnection: number;
};

export type ActionOwner = {
  readonly context: PluginContext;
  readonly faults: PluginFaults;
  readonly clock: Clock;
  readonly limits: ActionLimits;
};

const BUSY = refuse("unavailable", "too much of what you asked for is still under way");

/** The action as the core calls it. Whatever the plugin throws or gives stays here. */
export function hostAction(owner: ActionOwner, name: string, action: PluginAction): ActionHandler {
  const { context, faults, clock, limits } = owner;
  const where = `action ${name}`;
  const read = readerOf(action.input);

  function answer(session: Session, command: ExtensionCommand, result: object | undefined): void {
    if (command.id === undefined || !session.authenticated) return;
    const text = bodyText(result);
    takeAnswer(session, text.length);
    session.replyJson(command, text);
  }

  function failed(session: Session, command: ExtensionCommand, error: unknown): void {
    const refusal = faults.refusalOf(where, error);
    if (session.authenticated) session.refuse(command, refusal);
  }

  function run(session: Session, data: Fields): Awaitable<object | undefined> {
    const input = read(data);
    return settled(action.run({ session: new SessionView(session), input }, context));
  }

  return (session, command) => {
    const { inFlight } = session.deps;
    // Attack: commands that a slow store keeps waiting, as many as the rate lets in, each with its input.
    if (inFlight.countOf(session) >= limits.actionsPerConnection) {
      return session.refuse(command, BUSY);
    }
    try {
      const result = run(session, command.data);
      if (!(result instanceof Promise)) return answer(session, command, result);
      const answered = inTime(clock, limits.actionTimeLimitMs, result)
        .then((body) => answer(session, command, body))
        .catch((error: unknown) => failed(session, command, error));
      void inFlight.track(session, answered);
    } catch (error) {
      failed(session, command, error);
    }
  };
}
