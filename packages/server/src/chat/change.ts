// What becomes of a message later: edited, deleted, reacted to. Each is one conditional write, tried again when another came first.
import type { ChatDeletedBody, ChatEditedBody, ChatReactedBody } from "@aldis/protocol";
import { refusal } from "../plugins/index.ts";
import type { Actor } from "./actor.ts";
import type { MessageRecord } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import { emitMessage } from "./emitting.ts";
import { type Entered, enter, personOf, roleIn } from "./enter.ts";
import { countOf, withReaction } from "./reactions.ts";
import { conflict, forbidden, noMessage, overLimit } from "./refusals.ts";
import { bodyOf, type Content, searchable } from "./send.ts";
import { wireMessage, wireReactions } from "./wire.ts";

export type MessagePlace = { readonly room: string; readonly seq: number };

const ATTEMPTS = 10;

async function messageAt(deps: ChatDeps, { name, actor, record }: Entered, seq: number) {
  const room = name.channel;
  const found = record && (await deps.messages.get(actor.tenant, { room, seq }));
  if (found === undefined) throw noMessage();
  return found;
}

/** Calls `attempt` with the message as it stands until it has done something. */
async function untilDone<T>(
  deps: ChatDeps,
  entered: Entered,
  seq: number,
  attempt: (standing: MessageRecord) => Promise<T | undefined>,
): Promise<T> {
  for (let i = 0; i < ATTEMPTS; i++) {
    const done = await attempt(await messageAt(deps, entered, seq));
    if (done !== undefined) return done;
  }
  deps.context.count("change_contended");
  throw refusal("unavailable", "too many change this message at once");
}

export type Edit = MessagePlace & Content & { readonly version?: number | undefined };

/** CT16. */
export async function edit(deps: ChatDeps, actor: Actor, change: Edit): Promise<ChatEditedBody> {
  const entered = await enter(deps, actor, change.room, "publish");
  const { name } = entered;
  const editedAt = deps.context.clock.nowMs();
  const edited = await untilDone(deps, entered, change.seq, async (standing) => {
    if (!actor.trusted && standing.sender !== actor.userId) throw forbidden();
    if (standing.deletedAt !== undefined) throw conflict("the message has been deleted");
    if (change.version !== undefined && change.version !== standing.version) {
      throw conflict("the message has another version by now");
    }
    const body = bodyOf(change, name, standing.body);
    return deps.messages.update(
      actor.tenant,
      { room: standing.room, seq: standing.seq },
      {
        body,
        words: searchable(name, change.text).words,
        editedAt,
        version: standing.version + 1,
      },
      { version: { is: standing.version } },
    );
  });
  const { seq, version } = edited;
  await deps.publications.publish({
    tenant: actor.tenant,
    channel: name.channel,
    event: "chat.edited",
    data: { message: wireMessage(edited) },
    once: `e${seq}.${version}`,
  });
  await emitMessage(deps, actor.tenant, "chat.edited", edited);
  return { room: name.channel, seq, version, editedAt };
}

/** CT16: what was said goes, its place stays. */
export async function remove(
  deps: ChatDeps,
  actor: Actor,
  place: MessagePlace,
): Promise<ChatDeletedBody> {
  const entered = await enter(deps, actor, place.room, "publish");
  const nowMs = deps.context.clock.nowMs();
  const gone = await untilDone(deps, entered, place.seq, async (standing) => {
    await mayRemove(deps, entered, standing);
    if (standing.deletedAt !== undefined) return standing;
    return deps.messages.update(
      actor.tenant,
      { room: standing.room, seq: standing.seq },
      { ...withoutContent(standing), deletedAt: nowMs, version: standing.version + 1 },
      { version: { is: standing.version } },
    );
  });
  const { seq, version, deletedAt = nowMs } = gone;
  await deps.publications.publish({
    tenant: actor.tenant,
    channel: entered.name.channel,
    event: "chat.deleted",
    data: { message: wireMessage(gone) },
    once: `e${seq}.${version}`,
  });
  await emitMessage(deps, actor.tenant, "chat.deleted", gone);
  return { room: entered.name.channel, seq, version, deletedAt };
}

/** All that was said, in whatever form; `undefined` clears. */
export function withoutContent({ body: { name, avatar } }: MessageRecord) {
  return {
    body: { ...(name !== undefined && { name }), ...(avatar !== undefined && { avatar }) },
    words: undefined,
    reactions: undefined,
    revision: undefined,
  };
}

async function mayRemove(deps: ChatDeps, { name, actor, record }: Entered, message: MessageRecord) {
  if (actor.trusted || message.sender === actor.userId) return;
  const role = record && (await roleIn(deps, { name, actor, record }));
  if (role !== "owner" && role !== "admin") throw forbidden();
}

export type Reaction = MessagePlace & { readonly emoji: string; readonly on: boolean };

/** CT17. Those who react to one message at once wait for each other here, and try again against other nodes. */
export async function react(
  deps: ChatDeps,
  actor: Actor,
  reaction: Reaction,
): Promise<ChatReactedBody> {
  const entered = await enter(deps, actor, reaction.room, "publish");
  const user = personOf(actor);
  const { channel } = entered.name;
  const { seq, emoji, on } = reaction;
  const place = `${actor.tenant}/${channel}/${seq}`;
  const { changed, record } = await deps.turns.run(place, () =>
    untilDone(deps, entered, seq, (standing) =>
      writeReaction(deps, actor, standing, { user, emoji, on }),
    ),
  );
  const { reactions = [], revision = 0 } = record;
  if (changed) {
    const told = {
      room: channel,
      seq,
      user,
      emoji,
      on,
      revision,
      reactions: wireReactions(reactions),
    };
    const { tenant } = actor;
    const once = `r${seq}.${revision}`;
    await deps.publications.publish({ tenant, channel, event: "chat.reaction", data: told, once });
  }
  return { room: channel, seq, emoji, on, count: countOf(reactions, emoji), revision };
}

async function writeReaction(
  deps: ChatDeps,
  { tenant }: Actor,
  standing: MessageRecord,
  change: { readonly user: string; readonly emoji: string; readonly on: boolean },
): Promise<{ changed: boolean; record: MessageRecord } | undefined> {
  if (standing.deletedAt !== undefined) throw conflict("the message has been deleted");
  const { config } = deps.context;
  const reactions = withReaction(standing.reactions ?? [], change, config.reactions);
  if (reactions === "over") throw overLimit("too many reactions to this message");
  if (reactions === "unchanged") return { changed: false, record: standing };
  const record = await deps.messages.update(
    tenant,
    { room: standing.room, seq: standing.seq },
    { reactions, revision: (standing.revision ?? 0) + 1 },
    { revision: { is: standing.revision }, deletedAt: { is: undefined } },
  );
  return record && { changed: true, record };
}
