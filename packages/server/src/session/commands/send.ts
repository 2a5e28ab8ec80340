import type { SendBody, SendCommand } from "@aldis/protocol";
import { allows } from "../../auth/capabilities.ts";
import { mapReady, whenReady } from "../../awaitable.ts";
import { FORBIDDEN } from "../../channel/permissions.ts";
import { tooLargeToSend } from "../direct.ts";
import type { Session } from "../session.ts";

/** DM1–DM3. */
export function onSend(session: Session, command: SendCommand): void {
  const { identity, deps } = session;
  const { to } = command;
  const target = "user" in to ? `@user:${to.user}` : `@connection:${to.connection}`;
  const open = deps.options.directAllow === "user" && !identity.anonymous;
  if (!open && !allows(identity.capabilities, target, "send")) {
    return session.refuse(command, FORBIDDEN);
  }
  const refusal = tooLargeToSend(command.data, deps.options.frameMaxBytes);
  if (refusal !== undefined) return session.refuse(command, refusal);
  const { sending } = deps.hooks;
  if (sending === undefined) return deliver(session, command);
  const verdict = mapReady(receiverOf(session, command), (user) =>
    user === undefined
      ? undefined
      : sending({ tenant: identity.tenant, from: identity.userId, to: user }),
  );
  if (verdict === undefined) return deliver(session, command);
  whenReady(verdict instanceof Promise ? deps.inFlight.track(session, verdict) : verdict, {
    done: (decided) => {
      if (!session.authenticated) return;
      if (decided === undefined) deliver(session, command);
      else if (decided !== "unheard") session.refuse(command, decided);
      // Attack: somebody who is blocked tries out whether they are: nobody connected looks the same.
      else session.reply(command, { delivered: 0 } satisfies SendBody);
    },
    failed: (error) => session.fail(command, error),
  });
}

function receiverOf({ identity, deps }: Session, { to }: SendCommand) {
  return "user" in to ? to.user : deps.reach.ownerOf(identity.tenant, to.connection);
}

function deliver(session: Session, command: SendCommand): void {
  const { identity, deps } = session;
  const reached = deps.reach.send({
    tenant: identity.tenant,
    to: command.to,
    from: { user: identity.userId, connection: session.connectionId },
    event: command.event,
    data: command.data,
    urgent: command.urgent,
  });
  whenReady(deps.inFlight.track(session, reached), {
    done: ({ connections, missing }) => {
      const body: SendBody = { delivered: connections };
      // How many: which nodes there are is no client's business.
      if (missing.length > 0) body.missing = missing.length;
      session.reply(command, body);
    },
    failed: (error) => session.fail(command, error),
  });
}
