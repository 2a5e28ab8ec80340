import type { Call } from "../calling/call.ts";
import type { Answer, Body } from "../operations.ts";
import type { CallOptions } from "../options.ts";

/** An endpoint that events are posted to. */
export type WebhookEndpoint = Answer<"getWebhooksEndpoint">;

export function createWebhooks(call: Call) {
  return {
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

    /** Sends it a `webhook.test`, after what waits already. */
    test: (endpoint: string, options?: CallOptions) =>
      call("postWebhooksEndpointTest", { path: { endpoint } }, options),
  };
}
