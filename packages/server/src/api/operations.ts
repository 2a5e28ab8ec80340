/**
 * What may be done to channels, users and connections: each as a route of its own and as a command of a batch, with one schema and
 * one function for both.
 */
import { type ChannelName, errorBody, type Refusal } from "@aldis/protocol";
import type { z } from "@hono/zod-openapi";
import { type Awaitable, mapReady } from "../awaitable.ts";
import type { PublishOutcome } from "../broker/broker.ts";
import type { Publisher } from "../channel/publisher.ts";
import { type ChannelQuota, SUBSCRIBED_MS } from "../limits/channel-quota.ts";
import type { LateRefusals } from "../limits/late-refusals.ts";
import type { TenantAccounts } from "../limits/tenant-accounts.ts";
import { type Addressee, tooLargeToSend } from "../session/direct.ts";
import type { Reach, Reached } from "../session/reach.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import type { ApiAnswer } from "./api-answer.ts";
import { type FaultDeps, refusalOfFault } from "./faults.ts";
import {
  addresseeOf,
  type batchSchemas,
  type broadcastBody,
  type CommandName,
  type disconnectBody,
  type sendBody,
} from "./operation-schemas.ts";
import { createPace, type Pace } from "./pace.ts";
import { publishedBody } from "./publish-schema.ts";
import { missingOf, payloadFrom } from "./schemas.ts";

export type OperationDeps = FaultDeps & {
  readonly publisher: Publisher;
  readonly reach: Reach;
  readonly accounts: TenantAccounts;
  readonly late: LateRefusals;
  readonly channels: ChannelQuota;
  readonly clock: Clock;
  /** Largest direct message: what a client itself may send. */
  readonly directMaxBytes: number;
};

type Commands = { readonly [K in CommandName]: z.output<(typeof batchSchemas)[K]> };
type Send = z.output<typeof sendBody>;
type Disconnect = z.output<typeof disconnectBody>;
type Broadcast = z.output<typeof broadcastBody>;

/** Each gives what its route answers with 200; a thing of another tenant is not there, and nothing is done to it (P2). */
export type Operations = {
  publish(tenant: TenantId, body: Commands["publish"]): Promise<ApiAnswer>;
  broadcast(tenant: TenantId, body: Broadcast, pace?: Pace): Promise<ApiAnswer>;
  send(tenant: TenantId, to: Addressee, body: Send): Awaitable<ApiAnswer>;
  subscribe(tenant: TenantId, to: Addressee, channel: ChannelName): Awaitable<ApiAnswer>;
  unsubscribe(tenant: TenantId, to: Addressee, channel: ChannelName): Awaitable<ApiAnswer>;
  disconnect(tenant: TenantId, to: Addressee, body: Disconnect): Awaitable<ApiAnswer>;
  refresh(tenant: TenantId, body: Commands["refresh"]): Awaitable<ApiAnswer>;
  /**
   * To be awaited before results are answered. Attack: a tenant that is at its quota sends by broadcasts and batches, whose answer is 200: where one of the results is
   * refused for a rate it waits as such an answer does (QU8).
   */
  hold(tenant: TenantId, results: readonly object[]): Promise<void> | undefined;
  /** One command of a batch, checked already. */
  run<K extends CommandName>(
    tenant: TenantId,
    command: { readonly name: K; readonly body: Commands[K] },
    pace: Pace,
  ): Promise<ApiAnswer>;
};

export function createOperations(deps: OperationDeps): Operations {
  const { reach } = deps;

  const publish = (tenant: TenantId, body: Commands["publish"]) => publishOne(deps, tenant, body);

  async function broadcast(
    tenant: TenantId,
    { channels, ...fields }: Broadcast,
    pace = createPace(),
  ): Promise<ApiAnswer> {
    const results: object[] = [];
    for (const channel of channels) {
      await pace();
      const answer =
        messageRefusal(deps, tenant) ?? (await publish(tenant, { ...fields, channel }));
      results.push({ channel, ...resultOf(answer) });
    }
    return { ok: true, value: { results } };
  }

  function send(tenant: TenantId, to: Addressee, body: Send): Awaitable<ApiAnswer> {
    const data = payloadFrom(body);
    const refusal = tooLargeToSend(data, deps.directMaxBytes);
    if (refusal !== undefined) return refusal;
    const { event, urgent } = body;
    const message = { tenant, to, from: undefined, event: event ?? undefined, data };
    const reached = reach.send({ ...message, urgent: urgent ?? false });
    return mapReady(reached, ({ connections, missing }) => ({
      ok: true,
      value: { delivered: connections, ...missingOf(missing) },
    }));
  }

  const operations: Operations = {
    publish,
    broadcast,
    send,
    subscribe: (tenant, to, channel) =>
      mapReady(
        deps.channels.admit(tenant, channel, SUBSCRIBED_MS),
        (refusal): Awaitable<ApiAnswer> =>
          refusal ?? mapReady(reach.subscribe({ tenant, to }, channel), touched),
      ),
    unsubscribe: (tenant, to, channel) =>
      mapReady(reach.unsubscribe({ tenant, to }, channel), touched),
    disconnect(tenant, to, { reason, reconnect }) {
      const how = { reason: reason ?? undefined, reconnect: reconnect ?? false };
      return mapReady(reach.disconnect({ tenant, to }, how), touched);
    },
    refresh(tenant, body) {
      const whom = { tenant, to: addresseeOf(body) };
      return mapReady(reach.refresh(whom, body.withinMs ?? undefined), touched);
    },
    hold(tenant, results) {
      return results.some(isForRate) ? deps.late.wait(deps.accounts.of(tenant)) : undefined;
    },
    async run(tenant, { name, body }, pace) {
      await pace();
      const sends = name === "publish" || name === "send";
      const refusal = sends ? messageRefusal(deps, tenant) : undefined;
      if (refusal !== undefined) return refusal;
      return runCommand(operations, tenant, { name, body } as AnyCommand, pace);
    },
  };
  return operations;
}

/** A result of a batch, or of a broadcast in one. */
function isForRate(result: { error?: { code?: unknown }; results?: readonly object[] }): boolean {
  return result.error?.code === "rate_limited" || (result.results?.some(isForRate) ?? false);
}

/** Takes one from the tenant's messages; the bytes of the request were taken when it came. */
function messageRefusal({ accounts, clock }: OperationDeps, tenant: TenantId): Refusal | undefined {
  return accounts.of(tenant).take(1, 0, clock.monotonicMs());
}

function touched({ connections, missing }: Reached): ApiAnswer {
  return { ok: true, value: { connections, ...missingOf(missing) } };
}

async function publishOne(
  deps: OperationDeps,
  tenant: TenantId,
  body: Commands["publish"],
): Promise<ApiAnswer> {
  const { event, key, idempotencyKey, version } = body;
  const request = deps.publisher.publish({
    tenant,
    channel: body.channel,
    event: event ?? undefined,
    key: key ?? undefined,
    data: payloadFrom(body),
    from: undefined,
    exclude: undefined,
    idempotencyKey: idempotencyKey ?? undefined,
    idempotencyScope: "api",
    version: version ?? undefined,
  });
  if (!request.ok) return request;
  try {
    const outcome: PublishOutcome = await request.value;
    return { ok: true, value: publishedBody(outcome) };
  } catch (error) {
    return refusalOfFault(deps, error);
  }
}

type AnyCommand = {
  [K in CommandName]: { readonly name: K; readonly body: Commands[K] };
}[CommandName];

function runCommand(
  operations: Operations,
  tenant: TenantId,
  command: AnyCommand,
  pace: Pace,
): Awaitable<ApiAnswer> {
  switch (command.name) {
    case "publish":
      return operations.publish(tenant, command.body);
    case "broadcast":
      return operations.broadcast(tenant, command.body, pace);
    case "send":
      return operations.send(tenant, addresseeOf(command.body), command.body);
    case "subscribe":
      return operations.subscribe(tenant, addresseeOf(command.body), command.body.channel);
    case "unsubscribe":
      return operations.unsubscribe(tenant, addresseeOf(command.body), command.body.channel);
    case "disconnect":
      return operations.disconnect(tenant, addresseeOf(command.body), command.body);
    case "refresh":
      return operations.refresh(tenant, command.body);
    default:
      return command satisfies never;
  }
}

/** As it stands in a list of results. */
export function resultOf(answer: ApiAnswer): object {
  return answer.ok ? answer.value : { error: errorBody(answer as Refusal) };
}
