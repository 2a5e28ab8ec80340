import {
  type ChannelName,
  type ChannelPattern,
  isChannelPattern,
  namespaceOf,
  refuse,
  type SubscribeCommand,
} from "@aldis/protocol";
import { askToJoin } from "../ask-to-join.ts";
import { type Joined, joinChannel } from "../join.ts";
import { joinPattern } from "../join-pattern.ts";
import { lengthOf, takeAnswer } from "../rate-gate.ts";
import type { Session } from "../session.ts";
import { tellJoined } from "../tell-joined.ts";

/** SU1–SU6, SU8, BP1. */
export function onSubscribe(session: Session, command: SubscribeCommand): void {
  const { channel: name } = command;
  const needsOneChannel = command.slow === "latest" || command.slow === "catch-up";
  if (command.pattern && needsOneChannel) {
    return session.refuse(
      command,
      refuse("bad_request", `\`${command.slow}\` is not for patterns`),
    );
  }
  askToJoin(session, name, {
    allowed() {
      if (isChannelPattern(name)) subscribeToPattern(session, command, name);
      else subscribeToChannel(session, command, name);
    },
    refused: (refusal) => session.refuse(command, refusal),
  });
}

function subscribeToPattern(
  session: Session,
  command: SubscribeCommand,
  pattern: ChannelPattern,
): void {
  joinPattern(
    session,
    { name: pattern, slow: command.slow },
    {
      done: () => session.reply(command, { channel: pattern, recovered: false }),
      failed: (error) => session.fail(command, error),
    },
  );
}

function subscribeToChannel(
  session: Session,
  command: SubscribeCommand,
  channel: ChannelName,
): void {
  const { options } = session.deps.namespaces.find(session.identity.tenant, namespaceOf(channel));
  const last = command.last ?? options.lastOnSubscribe;
  joinChannel(
    session,
    { channel, since: command.since, last, slow: command.slow },
    {
      done(joined) {
        takeAnswer(session, lengthOf(joined.publications));
        const asked = command.since !== undefined || last > 0;
        // Without an id there is no reply to hold what was asked for (SU9).
        if (command.id === undefined && asked && joined.live) tellJoined(session, channel, joined);
        session.replyPosition(command, bodyJson(channel, joined, { withPublications: asked }));
        if (joined.live) session.deps.presence.join(session, channel);
      },
      failed: (error) => session.fail(command, error),
    },
  );
}

/** The publications are encoded already: they are put in as they are. */
function bodyJson(
  channel: ChannelName,
  { recovered, position, publications }: Joined,
  { withPublications }: { readonly withPublications: boolean },
): string {
  const head = `{"channel":"${channel}","recovered":${recovered},"offset":${position.offset},"epoch":"${position.epoch}"`;
  if (!withPublications && publications.length === 0) return `${head}}`;
  const list = publications.map((publication) => publication.json).join(",");
  return `${head},"publications":[${list}]}`;
}
