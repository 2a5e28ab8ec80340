import {
  accept,
  Base64,
  type ChannelName,
  namespaceOf,
  type Payload,
  payloadJson,
  type Refusal,
  type Result,
  refuse,
  type Sender,
} from "@aldis/protocol";
import { type Awaitable, mapReady } from "../awaitable.ts";
import type { Broker, PublishOutcome } from "../broker/broker.ts";
import type { Hub } from "../hub/hub.ts";
import type { ChannelRates } from "../limits/channel-rates.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import { type Counters, countOne } from "../observe/counters.ts";
import { type ChannelKey, channelKey, type TenantId } from "../tenant/tenant.ts";
import type { Namespaces } from "./namespaces.ts";

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
  /** Gives the message its place in the channel and hands it to every subscriber of this moment (PB1). */
  publish(request: PublishRequest): Result<Awaitable<PublishOutcome>>;
};

export type PublisherDeps = {
  readonly rates: ChannelRates;
  readonly broker: Broker;
  readonly hub: Pick<Hub, "whenHanded">;
  readonly namespaces: Namespaces;
  readonly counters: Counters;
};

/** The one way by which anything is published, whoever asks: sessions, HTTP, features. */
export function createPublisher({
  broker,
  hub,
  namespaces,
  counters,
  rates,
}: PublisherDeps): Publisher {
  return {
    publish(request) {
      const { options, rate } = namespaces.find(request.tenant, namespaceOf(request.channel));
      const member = encodePayload(request.data, options.messageMaxBytes);
      if (typeof member !== "string") return member;
      const target = channelKey(request.tenant, request.channel);
      const waitMs = rate === undefined ? 0 : rates.take(rate, target);
      if (waitMs > 0) {
        countOne(counters.rateLimited, "channel");
        return refuseFor("rate_limited", "too much is published in this channel", waitMs);
      }
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
      const outcome = broker.publish(target, draft, options.history);
      if (!(outcome instanceof Promise)) return accept(outcome);
      return accept(outcome.then((answer) => whenHanded(hub, target, answer)));
    },
  };
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
