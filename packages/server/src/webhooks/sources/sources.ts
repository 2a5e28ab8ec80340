/**
 * Notices what happens and has it recorded: with the hooks of the gateway, and with records of its own where a node may die before it is told. docs/webhooks.md says when each event comes.
 */
import {
  type PluginContext,
  type PluginHooks,
  type TenantId,
  Unavailable,
} from "../../plugins/index.ts";
import type { KnownEndpoints } from "../known-endpoints.ts";
import type { Recorder } from "../recorder.ts";
import { Adoption } from "./adoption.ts";
import { Beats } from "./beats.ts";
import { createChannelSource } from "./channels.ts";
import type { SourcesConfig } from "./config.ts";
import { createEmittedSource } from "./emitted.ts";
import { HeldThings } from "./held-things.ts";
import { Lives, type Thing } from "./lives.ts";
import { createMessageSource } from "./messages.ts";
import { BEATS, HOLDS, KINDS, LIVES, PLACES } from "./records.ts";
import { createSessionSource } from "./sessions.ts";
import { Settling } from "./settling.ts";
import { namespaceOfThing, THING_TYPES } from "./thing-events.ts";

export type Sources = { readonly hooks: PluginHooks; close(): Promise<void> };

/** As the recorder knows the endpoints; {@link Recorder.wants} is generous as long as it does not. */
type Known = Pick<KnownEndpoints, "ready" | "wants" | "onChange">;

const SESSION_GRACE_MS = 125_000;
/** After so many of them every node has read its endpoints anew. */
const REREADS = 3;

export function createSources<C extends SourcesConfig & { readonly rereadMs: number }>(
  context: PluginContext<C>,
  { recorder, known }: { readonly recorder: Recorder; readonly known: Known },
): Sources {
  const { clock, random, nodes, channels, config, log } = context;
  const count = (event: string) => context.count(event);
  const [holds, records] = [context.records(HOLDS), context.records(LIVES)];
  const lives = new Lives({ random, recorder, holds, lives: records });
  const { graceMs, sessionGraceMs = SESSION_GRACE_MS, welcomeWaitMs, beatMs, leaseMs } = config;
  const things: HeldThings = new HeldThings(
    {
      ...{ clock, lives, count },
      known: () => known.ready(),
      wants: (thing) => isWanted(known, thing),
      holderFor: (tenant) => beats.holderFor(tenant),
      onFault: (error) => log.error({ err: error }, "what has happened could not be written"),
    },
    { max: config.thingsMax, owedMax: config.owedMax, inFlight: config.thingsInFlight },
  );
  const settling = new Settling(clock);
  const settleMs = config.rereadMs * REREADS + graceMs;
  /** Another node may have subscribers, and not know yet that anybody wants to hear of them. */
  const settlingMs = (tenant: TenantId) =>
    nodes.others.length === 0 ? 0 : settling.leftMs(tenant, settleMs);
  /** What was here before is taken up without a word for `forMs`: later another node may have told its end already. */
  const adoptionMs = (forMs: number) => (tenant: TenantId) =>
    nodes.others.length === 0 ? Number.POSITIVE_INFINITY : settling.leftMs(tenant, forMs);
  const beats = new Beats(
    {
      ...{ clock, nodes, lives, holds, count },
      beats: context.records(BEATS),
      places: context.records(PLACES),
      isOver: (tenant, kind, stillMs) =>
        kind === "session"
          ? stillMs >= sessionGraceMs
          : stillMs >= graceMs && settlingMs(tenant) === 0,
      onBuried: () => things.takeAnew(),
    },
    { beatMs, leaseMs },
  );
  const sessions = createSessionSource({
    ...{ things, recorder, settling },
    ...{ graceMs: sessionGraceMs, waitMs: welcomeWaitMs },
    silentMs: adoptionMs(sessionGraceMs - 2 * config.rereadMs),
  });
  const inChannels = createChannelSource({
    ...{ things, recorder, channels },
    graceMs: (tenant) => Math.max(graceMs, settlingMs(tenant)),
    silentMs: adoptionMs(2 * config.rereadMs),
  });
  const passes = [inChannels.adopt, sessions.adopt];
  const adoption = new Adoption({ clock, users: context.users, passes });
  known.onChange((tenant) => {
    const wanted = wantsAny(known, tenant);
    settling.changed(tenant, wanted);
    things.drop(tenant, (thing) => !isWanted(known, thing));
    if (wanted) adoption.begin(tenant);
  });
  context.every(beatMs, () => beats.look().catch(unlessAway));
  return {
    hooks: {
      ...sessions.hooks,
      ...inChannels.hooks,
      ...createMessageSource({ clock, recorder, mustBeKept: config.publishedMustBeKept }),
      ...createEmittedSource({ recorder }),
    },
    close() {
      adoption.close();
      return things.close();
    },
  };
}

function isWanted(known: Known, thing: Thing): boolean {
  const { began, over } = THING_TYPES[thing.kind];
  const namespace = namespaceOfThing(thing);
  return known.wants(thing.tenant, began, namespace) || known.wants(thing.tenant, over, namespace);
}

/** Whether anything that is held is wanted, in whichever namespace. */
function wantsAny(known: Known, tenant: TenantId): boolean {
  return KINDS.some((kind) =>
    Object.values(THING_TYPES[kind]).some((type) => known.wants(tenant, type, undefined)),
  );
}

/** It is looked again with the next beat. */
function unlessAway(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error;
}
