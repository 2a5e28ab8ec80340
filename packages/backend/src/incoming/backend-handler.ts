import { AldisError, BadBody } from "../errors.ts";
import {
  type BackendCall,
  type PublishCall,
  type RpcCall,
  readCall,
  type SubscribeCall,
} from "./backend-call.ts";
import type { WebhookEvent } from "./events.ts";
import { readBody } from "./read-body.ts";
import { verifySigned } from "./signature.ts";
import { isWebhook, type Webhook } from "./webhook.ts";

type MaybePromise<T> = T | Promise<T>;

/** What a method answers; rejected or thrown `RpcError`s reach the client, everything else is `internal` to it. */
export type RpcMethod = (data: unknown, call: RpcCall) => unknown;

/** Whether, and for how long the gateway need not ask again (`cacheMs`); `message` is for who may not. */
export type Permission =
  | { readonly allow: true; readonly cacheMs?: number }
  | { readonly allow: false; readonly message?: string };

/** `event` and `data`: published in place of what the client gave. */
export type PublishPermission = Permission & { readonly event?: string; readonly data?: unknown };

export type GatewayAnswers = {
  /** `whsec_…` of the backend's settings, of a webhook endpoint, or both. */
  readonly secret: string | readonly string[];
  /** What clients may ask with `rpc`, by method. */
  readonly rpc?: Readonly<Record<string, RpcMethod>>;
  /** Whether a client may subscribe. Absent: nobody may. */
  readonly subscribe?: (call: SubscribeCall) => MaybePromise<boolean | Permission>;
  /** Whether a client may publish. Absent: nobody may. */
  readonly publish?: (call: PublishCall) => MaybePromise<boolean | PublishPermission>;
  /** Each event, in order; when it throws the whole request comes again, so what it does is done once by the event's `id`. */
  readonly webhook?: (event: WebhookEvent, webhook: Webhook) => MaybePromise<void>;
  /** Faults of the functions above, for your log; the gateway is told no more than that there was one. Absent: the console. */
  readonly onError?: (error: unknown) => void;
  /** Larger requests are refused; 2 MiB unless given. */
  readonly bodyMaxBytes?: number;
  readonly toleranceMs?: number;
};

/** A refusal of an `rpc` that the client is to see. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  /** A word of yours, such as `sold_out`. */
  readonly code: string;
  /** What else the client should know. */
  readonly data: unknown;

  constructor(code: string, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/**
 * Answers what a gateway asks and tells a backend: a function from `Request` to `Response`, as Hono, Bun, Deno, Next and edge runtimes
 * take it. Each request's signature is verified first. Throws nothing.
 */
export function createBackendHandler(
  handlers: GatewayAnswers,
): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      if (request.method !== "POST") return plain(405);
      const body = await readBody(request, handlers.bodyMaxBytes ?? 2 * 1_024 * 1_024);
      if (body === undefined) return plain(413);
      const { secret, toleranceMs } = handlers;
      const verified = await verifySigned({ secret, headers: request.headers, body, toleranceMs });
      return await answer(handlers, verified);
    } catch (error) {
      if (error instanceof AldisError && error.code === "bad_signature") return plain(401);
      (handlers.onError ?? toConsole)(error);
      // A 4xx tells the gateway to give an event up: never for a secret that is missing here, or what a function of yours was refused.
      return plain(error instanceof BadBody ? 400 : 500);
    }
  };
}

/** A fault that nobody hears of would be looked for in the gateway. */
function toConsole(error: unknown): void {
  // biome-ignore lint/suspicious/noConsole: who wants it elsewhere gives `onError`
  console.error(error);
}

type Verified = Awaited<ReturnType<typeof verifySigned>>;

async function answer(handlers: GatewayAnswers, verified: Verified): Promise<Response> {
  const { id, sentAt, body } = verified;
  if (!isWebhook(body)) return await answerCall(handlers, readCall(body));
  const webhook: Webhook = { id, sentAt, endpoint: body.endpoint, events: body.events };
  for (const event of webhook.events) await handlers.webhook?.(event, webhook);
  return plain(204);
}

async function answerCall(handlers: GatewayAnswers, call: BackendCall): Promise<Response> {
  switch (call.type) {
    case "rpc":
      return await answerRpc(handlers, call);
    case "subscribe":
      return json(permission(await handlers.subscribe?.(call)));
    case "publish":
      return json(permission(await handlers.publish?.(call)));
  }
}

/** Whatever is no permission is none: only `true` allows. */
function permission(said: boolean | Permission | undefined): Permission {
  return typeof said === "object" ? said : { allow: said === true };
}

async function answerRpc({ rpc = {} }: GatewayAnswers, call: RpcCall): Promise<Response> {
  // Attack: `constructor` and the like are no methods of yours.
  const method = Object.hasOwn(rpc, call.method) ? rpc[call.method] : undefined;
  if (method === undefined) return refused(new RpcError("not_found", "no such method"));
  try {
    return json({ result: (await method(call.data, call)) ?? null });
  } catch (error) {
    if (error instanceof RpcError) return refused(error);
    throw error;
  }
}

function refused({ code, message, data }: RpcError): Response {
  return json({ error: { code, message, data } });
}

function json(body: object): Response {
  return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
}

function plain(status: number): Response {
  return new Response(null, { status });
}
