import type { Call } from "../calling/call.ts";
import { createListing, type Listing, type ListOptions } from "../calling/listing.ts";
import type { Answer, Body, Query } from "../operations.ts";
import { type CallOptions, split } from "../options.ts";

/** An endpoint that events are posted to. */
export type WebhookEndpoint = Answer<"getWebhooksEndpoint">;

/** An event that an endpoint has not taken in time. */
export type DeadLetter = Answer<"getWebhooksEndpointDead">["letters"][number];

export function createWebhooks(call: Call) {
  return {
    deadLetters: createDeadLetters(call),

    /** Adds an endpoint; the answer has the `secret` that its requests are signed with. Not sent again when the answer is lost. */
    create: (endpoint: Body<"postWebhooks">, options?: CallOptions) =>
      call("postWebhooks", { body: endpoint }, options),

    async list(options?: CallOptions): Promise<WebhookEndpoint[]> {
      return (await call("getWebhooks", {}, options)).endpoints;
    },

    get: (endpoint: string, options?: CallOptions) =>
      call("getWebhooksEndpoint", { path: { endpoint } }, options),

    /** What is left out stays as it is. */
    update: (endpoint: string, body: Body<"putWebhooksEndpoint">, options?: CallOptions) =>
      call("putWebhooksEndpoint", { path: { endpoint }, body }, options),

    remove: (endpoint: string, options?: CallOptions) =>
      call("deleteWebhooksEndpoint", { path: { endpoint } }, options),

    /** What signs now, and what signs beside it for a while. */
    async secrets(
      endpoint: string,
      options?: CallOptions,
    ): Promise<Answer<"getWebhooksEndpointSecret">["secrets"]> {
      return (await call("getWebhooksEndpointSecret", { path: { endpoint } }, options)).secrets;
    },

    /** Another secret; the former one signs too, until receivers know the new one. */
    rotateSecret: (
      endpoint: string,
      body: Body<"postWebhooksEndpointRotateSecret"> = {},
      options?: CallOptions,
    ) => call("postWebhooksEndpointRotateSecret", { path: { endpoint }, body }, options),

    /** Its events are kept, and wait. */
    pause: (endpoint: string, options?: CallOptions) =>
      call("postWebhooksEndpointPause", { path: { endpoint } }, options),

    /** They are sent (again). */
    enable: (endpoint: string, options?: CallOptions) =>
      call("postWebhooksEndpointEnable", { path: { endpoint } }, options),

    /** How far it has come, how much waits, and why. */
    deliveries: (endpoint: string, options?: CallOptions) =>
      call("getWebhooksEndpointDeliveries", { path: { endpoint } }, options),

    /** Sends it a `webhook.test`, after what waits already. */
    test: (endpoint: string, options?: CallOptions) =>
      call("postWebhooksEndpointTest", { path: { endpoint } }, options),
  };
}

type DeadPage = Answer<"getWebhooksEndpointDead">;
type DeadQuery = Query<"getWebhooksEndpointDead">;

/** What an endpoint has not taken, and is not sent any more. */
function createDeadLetters(call: Call) {
  return {
    /** The oldest first. */
    list(
      endpoint: string,
      given: ListOptions<"getWebhooksEndpointDead"> = {},
    ): Listing<DeadLetter, DeadPage> {
      const { fields, options } = split(given);
      const get = (query: DeadQuery, how: CallOptions) =>
        call("getWebhooksEndpointDead", { path: { endpoint }, query }, how);
      const after = ({ next }: DeadPage, query: DeadQuery) =>
        next === undefined ? undefined : { ...query, after: next };
      return createListing({ get, items: ({ letters }) => letters, after }, fields, options);
    },

    /** Sends those of the numbers `seqs`, or the oldest 1,000, anew; again while `more` is true. */
    replay: (
      endpoint: string,
      body: Body<"postWebhooksEndpointDeadReplay"> = {},
      options?: CallOptions,
    ) => call("postWebhooksEndpointDeadReplay", { path: { endpoint }, body }, options),

    /** All, or those up to a number. */
    remove(endpoint: string, given: Query<"deleteWebhooksEndpointDead"> & CallOptions = {}) {
      const { fields: query, options } = split(given);
      return call("deleteWebhooksEndpointDead", { path: { endpoint }, query }, options);
    },
  };
}
