import type { Call } from "../calling/call.ts";
import { type ListOptions, listBy } from "../calling/listing.ts";
import type { Body } from "../operations.ts";
import { type CallOptions, split } from "../options.ts";
import { payloadOf } from "./payload.ts";

/** Of a direct message: what it says beside its payload, and options of the call. */
export type SendOptions = Omit<Body<"postUsersUserSend">, "data" | "base64"> & CallOptions;
export type DisconnectOptions = Body<"postUsersUserDisconnect"> & CallOptions;
export type RefreshOptions = Omit<Body<"postRefresh">, "user" | "connection"> & CallOptions;

export function createConnections(call: Call) {
  const list = listBy(call, "getConnections", (page) => page.connections);
  return {
    /** Who is connected; of one `user` or `channel` perhaps. */
    list: (options: ListOptions<"getConnections"> = {}) => list(options),

    /** One connection with its subscriptions. */
    get: (connection: string, options?: CallOptions) =>
      call("getConnectionsConnection", { path: { connection } }, options),

    /** A message to this connection alone, live only. It is not sent again when the answer is lost. */
    send(connection: string, data: unknown, given: SendOptions = {}) {
      const { fields, options } = split(given);
      const body = { ...fields, ...payloadOf(data) };
      return call("postConnectionsConnectionSend", { path: { connection }, body }, options);
    },

    /** Puts the connection into a channel, whatever its token allows. */
    subscribe: (connection: string, channel: string, options?: CallOptions) =>
      call(
        "postConnectionsConnectionSubscribe",
        { path: { connection }, body: { channel } },
        options,
      ),

    unsubscribe: (connection: string, channel: string, options?: CallOptions) =>
      call(
        "postConnectionsConnectionUnsubscribe",
        { path: { connection }, body: { channel } },
        options,
      ),

    disconnect(connection: string, given: DisconnectOptions = {}) {
      const { fields: body, options } = split(given);
      return call("postConnectionsConnectionDisconnect", { path: { connection }, body }, options);
    },

    /** Asks for a new token, as when rights have changed. */
    refresh(connection: string, given: RefreshOptions = {}) {
      const { fields, options } = split(given);
      return call("postRefresh", { body: { ...fields, connection } }, options);
    },
  };
}
