// The entry `@aldis/client/rpc`.
import type { Json, RpcBody } from "@aldis/protocol";
import type { Client, RequestOptions } from "./api.ts";

export type RpcOptions = RequestOptions & {
  /** The backend takes calls with the same key, by the same user, for the same call: then the gateway asks again when an answer was lost. */
  readonly idempotencyKey?: string;
};

/** The backend was asked and said no: `code`, `message` and `data` are its own. That it could not be asked is an `AldisError`. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: string;
  readonly data: Json | undefined;

  constructor(code: string, message: string, data?: Json) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** `client.rpc`: calls the tenant's backend. Never sent twice by the client. */
export type Rpc = <T = unknown>(method: string, data?: unknown, options?: RpcOptions) => Promise<T>;

/** Calls of the backend (docs/protocol.md, section Backend calls). Give it to `createClient({ use: { rpc } })`. */
export function rpc(client: Client): Rpc {
  return async <T>(method: string, data?: unknown, options: RpcOptions = {}) => {
    const { idempotencyKey, ...how } = options;
    const body = (await client.request("rpc", { method, data, idempotencyKey }, how)) as RpcBody;
    if (body.error === undefined) return body.result as T;
    const { code, message, data: more } = body.error;
    throw new RpcError(code, message, more);
  };
}
