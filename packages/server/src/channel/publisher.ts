import {
  accept,
  Base64,
  type ChannelName,
  FieldError,
  namespaceOf,
  type Payload,
  payloadJson,
  type Refusal,
  type Result,
  refuse,
  type Sender,
} from "@aldis/protocol";
import { type Awaitable, mapReady } from "../awaitable.ts";
import type { Broker, HistoryOptions, PublishOutcome } from "../broker/broker.ts";
import type { Hub } from "../hub/hub.ts";
import type { ChannelQuota } from "../limits/channel-quota.ts";
import type { ChannelRates } from "../limits/channel-rates.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import type { TenantAccounts } from "../limits/tenant-accounts.ts";
import { type Counters, countOne } from "../observe/counters.ts";
import { type ChannelKey, channelKey, type TenantId } from "../tenant/tenant.ts";
import type { Namespaces } from "./namespaces.ts";
import {
  type PublishedHook,
  type PublishHooks,
  type PublishingHook,
  PublishTurns,
  type PublishVerdict,
  type RecordingHook,
} from "./publish-hooks.ts";

/** A publish whose right was asked already. */
export type PublishRequest = {
  readonly tenant: TenantId;
  readonly channel: ChannelName;
  readonly event: string | undefined;
  /** What it is the latest value of (BP4). */
  readonly key: string | undefined;
  readonly data: Payload;
  readonly from: Sender | undefined;
  readonly exclude: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** Whose idempotency keys these are, without NUL: one user's key must not swallow another's message. */
  readonly idempotencyScope: string;
  readonly version: number | undefined;
};

export type Publisher = {
  /**
   * Gives the message its place in the channel and hands it to every subscriber of this moment (PB1). What a hook refuses later comes as a rejection with a
   * `FieldError`.
   */
  publish(request: PublishRequest): Result<Awaitable<PublishOutcome>>;
};

export type PublisherDeps = {
  readonly rates: ChannelRates;
  readonly broker: Broker;
  readonly hub: Pick<Hub, "whenHanded">;
  readonly namespaces: Namespaces;
  readonly counters: Counters;
  /** The quotas of tenants, and how many channels each has; without them nobody has quotas. */
  readonly accounts?: Pick<TenantAccounts, "of">;
  readonly channels?: ChannelQuota;
  /** Filled after the publisher is made; asked at each publish. */
  readonly hooks?: PublishHooks;
};

const NO_HOOKS: PublishHooks = {};
const BUSY = refuse("unavailable", "too many publications wait to be looked at: try again");

/** The one way by which anything is published, whoever asks: sessions, HTTP, features. */
export function createPublisher(deps: PublisherDeps): Publisher {
  const { namespaces, counters, rates, hooks = NO_HOOKS } = deps;
  const turns = new PublishTurns();
  return {
    publish(request) {
      const name = namespaceOf(request.channel);
      const { options, rate } = namespaces.find(request.tenant, name);
      const member = encodePayload(request.data, options.messageMaxBytes);
      if (typeof member !== "string") return member;
      const target = channelKey(request.tenant, request.channel);
      const waitMs = rate === undefined ? 0 : rates.take(rate, target);
      if (waitMs > 0) {
        countOne(counters.rateLimited, "channel");
        return refuseFor("rate_limited", "too much is published in this channel", waitMs);
      }
      const { publishing } = hooks;
      const over = overQuota(deps, request, options.history);
      if (over !== undefined && !(over instanceof Promise)) return over;
      if (publishing?.concerns(request.tenant, name)) {
        return publishAsked(deps, { turns, publishing, target, over }, { request, member });
      }
      if (over !== undefined || (turns.pending > 0 && turns.has(target))) {
        const later = turns.take(target, over, (refusal) => {
          if (refusal !== undefined) throw new FieldError(refusal);
          return appendChanged(deps, target, { request, member });
        });
        return accept(later);
      }
      const history = kept(deps, request.tenant, options.history);
      return accept(append(deps, request, { target, namespace: name, member, history }));
    },
  };
}

/** A channel that keeps what is published is one of the tenant's (QU4). */
function overQuota(
  { channels }: PublisherDeps,
  { tenant, channel }: PublishRequest,
  { size, ttlMs }: HistoryOptions,
): Awaitable<Refusal | undefined> {
  return size === 0 ? undefined : channels?.admit(tenant, channel, ttlMs);
}

/** What a channel keeps, within the tenant's quota (QU5). */
function kept(
  { accounts }: PublisherDeps,
  tenant: TenantId,
  history: HistoryOptions,
): HistoryOptions {
  const quotas = accounts?.of(tenant).quotas;
  if (quotas?.historyBytes === undefined) return history;
  const share = Math.max(1, Math.floor(quotas.historyBytes / (quotas.channels ?? 1)));
  return share < history.maxBytes ? { ...history, maxBytes: share } : history;
}

type Asking = {
  /** Whether the channel is one too many is being asked. */
  readonly over: Promise<Refusal | undefined> | undefined;
  readonly turns: PublishTurns;
  readonly publishing: PublishingHook;
  readonly target: ChannelKey;
};

/** A publication that was checked, and its payload's member. */
type Checked = { readonly request: PublishRequest; readonly member: string };

/** What somebody decides about: they may change or refuse it, now or later. */
function publishAsked(
  deps: PublisherDeps,
  { turns, publishing, target, over }: Asking,
  checked: Checked,
): Result<Awaitable<PublishOutcome>> {
  if (!turns.hasRoom(checked.request.tenant, publishing.pendingMax)) return BUSY;
  const decided =
    over === undefined ? publishing.ask(checked.request) : askAfter(over, publishing, checked);
  if (!(decided instanceof Promise) && !turns.has(target)) {
    const changed = changedBy(deps, checked, decided);
    return changed.ok ? accept(appendChanged(deps, target, changed.value)) : changed;
  }
  const later = turns.take(target, decided, (verdict) => {
    const changed = changedBy(deps, checked, verdict);
    if (!changed.ok) throw new FieldError(changed);
    return appendChanged(deps, target, changed.value);
  });
  return accept(later);
}

async function askAfter(
  over: Promise<Refusal | undefined>,
  publishing: PublishingHook,
  { request }: Checked,
): Promise<PublishVerdict> {
  const refusal = await over;
  return refusal === undefined ? publishing.ask(request) : { refusal };
}

/** What it is after a verdict. What was changed is checked for its size again. */
function changedBy(
  { namespaces }: PublisherDeps,
  checked: Checked,
  verdict: PublishVerdict,
): Result<Checked> {
  if (verdict === undefined) return accept(checked);
  if ("refusal" in verdict) return verdict.refusal;
  const request = { ...checked.request, ...verdict };
  const { options } = namespaces.find(request.tenant, namespaceOf(request.channel));
  const member = encodePayload(request.data, options.messageMaxBytes);
  return typeof member === "string" ? accept({ request, member }) : member;
}

function appendChanged(
  deps: PublisherDeps,
  target: ChannelKey,
  { request, member }: Checked,
): Awaitable<PublishOutcome> {
  const namespace = namespaceOf(request.channel);
  const { options } = deps.namespaces.find(request.tenant, namespace);
  const history = kept(deps, request.tenant, options.history);
  return append(deps, request, { target, namespace, member, history });
}

type Place = {
  readonly target: ChannelKey;
  readonly namespace: string;
  readonly member: string;
  readonly history: HistoryOptions;
};

function append(
  { broker, hub, counters, hooks = NO_HOOKS }: PublisherDeps,
  request: PublishRequest,
  { target, namespace, member, history }: Place,
): Awaitable<PublishOutcome> {
  counters.publications++;
  counters.byTenant.of(request.tenant).publications++;
  const { channel, event, key, from, exclude, version } = request;
  const idempotencyKey =
    request.idempotencyKey === undefined
      ? undefined
      : `${request.idempotencyScope}\0${request.idempotencyKey}`;
  const draft = {
    channel,
    event,
    key,
    from,
    payloadJson: member,
    exclude,
    idempotencyKey,
    version,
  };
  const outcome = broker.publish(target, draft, history);
  const handed =
    outcome instanceof Promise
      ? outcome.then((answer) => whenHanded(hub, target, answer))
      : outcome;
  const { published, recording } = hooks;
  const { tenant } = request;
  const told = published?.concerns(tenant, namespace) ? tell(published, request, handed) : handed;
  return recording?.concerns(tenant, namespace) ? record(recording, request, told) : told;
}

/** Whoever must not miss an acknowledged publication has it before the acknowledgement, and again with each repetition. */
function record(
  recording: RecordingHook,
  request: PublishRequest,
  outcome: Awaitable<PublishOutcome>,
): Awaitable<PublishOutcome> {
  return mapReady(outcome, (done) => {
    if (done.kind !== "published") return done;
    return mapReady(recording.ask(request, done), (refusal) => {
      if (refusal !== undefined) throw new FieldError(refusal);
      return done;
    });
  });
}

/** Whoever hears of publications hears of those that are new. */
function tell(
  published: PublishedHook,
  request: PublishRequest,
  outcome: Awaitable<PublishOutcome>,
): Awaitable<PublishOutcome> {
  return mapReady(outcome, (done) => {
    if (done.kind === "published" && !done.duplicate) published.tell(request, done);
    return done;
  });
}

/** The broker has delivered it; where something before it is missing here the hub has yet to hand it on. */
function whenHanded(
  hub: PublisherDeps["hub"],
  key: ChannelKey,
  outcome: PublishOutcome,
): Awaitable<PublishOutcome> {
  if (outcome.kind !== "published" || outcome.duplicate) return outcome;
  return mapReady(hub.whenHanded(key, outcome), () => outcome);
}

/** The member that carries the payload. Bytes are measured as bytes, whatever their text takes. */
function encodePayload(payload: Payload, maxBytes: number): string | Refusal {
  if (payload instanceof Base64) {
    return payload.bytes > maxBytes ? tooLarge(maxBytes) : payloadJson(payload);
  }
  let member: string;
  try {
    member = payloadJson(payload);
  } catch {
    // Attack: nesting that the parser takes and the serialiser's stack does not.
    return refuse("bad_request", "`data` is nested too deeply");
  }
  // A UTF-16 unit is one to three bytes: most messages need no count.
  const length = member.length - KEY.length;
  const over = length > maxBytes || (length * 3 > maxBytes && bytesOf(member) > maxBytes);
  return over ? tooLarge(maxBytes) : member;
}

const KEY = '"data":';

function bytesOf(member: string): number {
  return Buffer.byteLength(member) - KEY.length;
}

function tooLarge(maxBytes: number): Refusal {
  return refuse("too_large", `\`data\` has at most ${maxBytes} bytes`);
}
