import { AldisError } from "../errors.ts";
import { type Signed, verifySigned } from "./signature.ts";

/** Who a call of the gateway is about. */
type Caller = {
  /** The same whenever this call is sent again. */
  readonly id: string;
  readonly tenant: string;
  readonly user: string;
};

/** A client's `rpc`: what it asked of the backend. */
export type RpcCall = Caller & {
  readonly type: "rpc";
  readonly method: string;
  readonly data: unknown;
};
/** A client wants to subscribe to a channel. */
export type SubscribeCall = Caller & { readonly type: "subscribe"; readonly channel: string };
/** A client wants to publish to a channel. */
export type PublishCall = Caller & {
  readonly type: "publish";
  readonly channel: string;
  readonly event?: string;
  readonly data: unknown;
};

export type BackendCall = RpcCall | SubscribeCall | PublishCall;

/** Verifies that a backend call comes from the gateway and is new, as `verifyWebhook` does. Throws an `AldisError`. */
export async function verifyBackendCall(signed: Signed): Promise<BackendCall> {
  const { id, body } = await verifySigned(signed);
  return readCall(id, body);
}

const TYPES = ["rpc", "subscribe", "publish"];

export function readCall(id: string, body: unknown): BackendCall {
  const call = (body ?? {}) as Partial<BackendCall>;
  if (!TYPES.includes(String(call.type))) {
    throw new AldisError("bad_request", "the body is no backend call");
  }
  return { ...(call as BackendCall), id };
}
