/** What the gateway asks a backend (docs/protocol.md section 29). */
import { BadBody } from "../errors.ts";
import { type Signed, verifySigned } from "./signature.ts";

/** A user, as their token says. */
export type CallingUser = {
  readonly id: string;
  readonly name?: string;
  readonly email?: string;
  readonly avatar?: string;
  readonly anonymous?: true;
};

type Caller = {
  readonly id: string;
  readonly tenant: string;
  /** When it was asked, Unix milliseconds. */
  readonly at: number;
  readonly user: CallingUser;
  /** The connection's id. */
  readonly connection: string;
};

/** A client calls one of the backend's methods. */
export type RpcCall = Caller & {
  readonly type: "rpc";
  readonly method: string;
  readonly data?: unknown;
  /** The client's: a call that comes again with the same key is to have one effect, and the same answer. */
  readonly idempotencyKey?: string;
};

/** A client wants to subscribe to a channel. */
export type SubscribeCall = Caller & { readonly type: "subscribe"; readonly channel: string };

/** A client wants to publish to a channel; of the user only the id is told. */
export type PublishCall = Caller & {
  readonly type: "publish";
  readonly channel: string;
  readonly event?: string;
  readonly data?: unknown;
  /** Bytes in place of `data`. */
  readonly base64?: string;
};

/** What the gateway asks, by its `type`. */
export type BackendCall = RpcCall | SubscribeCall | PublishCall;

/** Verifies that a backend call comes from the gateway and is new, as `verifyWebhook` does. Throws an `AldisError`. */
export async function verifyBackendCall(signed: Signed): Promise<BackendCall> {
  const { body } = await verifySigned(signed);
  return readCall(body);
}

const TYPES = ["rpc", "subscribe", "publish"];

/** It is signed: whoever knows the secret has written it. */
export function readCall(body: unknown): BackendCall {
  const { type, user } = (body ?? {}) as Partial<BackendCall>;
  if (TYPES.includes(String(type)) && typeof user === "object") return body as BackendCall;
  throw new BadBody("the body is no backend call");
}
