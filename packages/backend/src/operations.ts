/** Types of the API by operation, all out of the gateway's OpenAPI document, and which operations may be repeated. */
import { type Operations, ROUTES } from "./openapi.ts";

/** The id of an operation in the OpenAPI document. */
export type Operation = keyof Operations;

/** What an operation answers. */
export type Answer<O extends Operation> = Operations[O]["answer"];

/** What it takes: `path`, `query` and `body`, as far as it has them. */
export type Request<O extends Operation> = Omit<Operations[O], "answer">;

export type Body<O extends Operation> = Operations[O] extends { readonly body: infer B }
  ? B
  : Nothing;

export type Query<O extends Operation> = Operations[O] extends { readonly query?: infer Q }
  ? NonNullable<Q>
  : Nothing;

type Nothing = Record<never, never>;

export type Route = { readonly method: string; readonly path: string; readonly keyed?: true };

export function routeOf(operation: Operation): Route {
  return ROUTES[operation];
}

type Routes = typeof ROUTES;
type Unkeyed = {
  [O in Operation]: Routes[O] extends { readonly method: "POST" }
    ? Routes[O] extends { readonly keyed: true }
      ? never
      : O
    : never;
}[Operation];

/**
 * POSTs that take no idempotency key: whether doing one twice leaves things as doing it once does. Who adds such a route decides it here,
 * and says false in doubt.
 */
const SAME_WHEN_REPEATED: Readonly<Record<Unkeyed, boolean>> = {
  // Each of its commands may take a key of its own: publishing.ts decides.
  postBatch: false,
  postUsersUserSend: false,
  postConnectionsConnectionSend: false,
  postUsersUserSubscribe: true,
  postConnectionsConnectionSubscribe: true,
  postUsersUserUnsubscribe: true,
  postConnectionsConnectionUnsubscribe: true,
  // A user who came back in between would be closed again.
  postUsersUserDisconnect: false,
  postConnectionsConnectionDisconnect: true,
  postRefresh: true,
  postClusterNodesNodeDrain: true,
  postClusterNodesNodeUndrain: true,
  // So many clients again.
  postClusterNodesNodeMove: false,
  postClusterRebalance: false,
  postChatMessagesMarkRead: true,
  // A version that it names has passed by the first time.
  postChatMessagesEdit: false,
  postChatMessagesReact: true,
  postChatMessagesDelete: true,
  // Without a name of its own the room would be there twice; rooms.ts decides.
  postChatRooms: false,
  postChatRoomsRoomJoin: true,
  postChatRoomsRoomLeave: true,
  postNotificationsSubscriptions: true,
  postNotificationsSubscriptionsRemove: true,
  postUsers: true,
  // The second would be told that its id is taken.
  postTenants: false,
  postTenantsTenantSuspend: true,
  postTenantsTenantResume: true,
  // There would be a key that nobody knows.
  postTenantsTenantKeys: false,
  postTenantsTenantKeysKeyRotate: false,
  postTenantsTenantTokenSecrets: false,
  postTenantsTenantTokenSecretsSecretRotate: false,
  // There would be two.
  postWebhooks: false,
  // The second would push out the secret that receivers still know.
  postWebhooksEndpointRotateSecret: false,
  postWebhooksEndpointPause: true,
  postWebhooksEndpointEnable: true,
  // Two tests are as good as one.
  postWebhooksEndpointTest: true,
  // Those of the first time are no dead letters any more.
  postWebhooksEndpointDeadReplay: true,
};

/** Whether sending it again is harmless even if the gateway has done it before without our hearing of it. */
export function isRepeatable(operation: Operation, body: unknown): boolean {
  const { method, keyed } = routeOf(operation);
  if (keyed === true || method === "GET") return true;
  if (method === "POST") return SAME_WHEN_REPEATED[operation as Unkeyed];
  // "Only if it is still version 3": by the first time it is 4.
  return !(typeof body === "object" && body !== null && "version" in body);
}
