import type { Call } from "../calling/call.ts";
import { type ListOptions, listBy } from "../calling/listing.ts";
import type { Answer, Body } from "../operations.ts";
import { type CallOptions, split } from "../options.ts";
import type { DisconnectOptions, RefreshOptions, SendOptions } from "./connections.ts";
import { payloadOf } from "./payload.ts";

/** A user of the directory. */
export type User = Answer<"getUsers">["users"][number];
type Given = Body<"postUsers">["users"][number];

export function createUsers(call: Call) {
  return Object.assign(createDirectory(call), createBlocks(call), createReach(call));
}

/** Who they are. */
function createDirectory(call: Call) {
  const online = listBy(call, "getUsersOnline", (page) => page.users);
  const search = listBy(call, "getUsersSearch", (page) => page.users);
  const list = listBy(call, "getUsers", (page) => page.users);
  return {
    /** Who is connected now. */
    online: (options: ListOptions<"getUsersOnline"> = {}) => online(options),

    /** Those of whom each word of `text` begins a word of their name, id or email. */
    search: (text: string, options: Omit<ListOptions<"getUsersSearch">, "q"> = {}) =>
      search({ ...options, q: text }),

    /** Everybody in the directory. */
    list: (options: ListOptions<"getUsers"> = {}) => list(options),

    get: (user: string, options?: CallOptions) => call("getUsersUser", { path: { user } }, options),

    byEmail: (email: string, options?: CallOptions) =>
      call("getUsersByEmailEmail", { path: { email } }, options),

    /** Sets what is given; null takes it away, what is left out stays. Makes the user when there is none. */
    update(user: string, body: Body<"putUsersUser">, options?: CallOptions) {
      return call("putUsersUser", { path: { user }, body }, options);
    },

    /** Up to a hundred users at once; one result for each. */
    updateMany: (users: readonly Given[], options?: CallOptions) =>
      call("postUsers", { body: { users: [...users] } }, options),

    /** Removes the user's record and block list. It closes no connection. */
    remove: (user: string, options?: CallOptions) =>
      call("deleteUsersUser", { path: { user } }, options),
  };
}

/** Whom they block. */
function createBlocks(call: Call) {
  const blocked = listBy(call, "getUsersUserBlocked", (page) => page.users);
  return {
    /** Whom the user blocks. */
    blocked: (user: string, options: ListOptions<"getUsersUserBlocked"> = {}) =>
      blocked(options, { user }),

    block: (user: string, other: string, options?: CallOptions) =>
      call("putUsersUserBlockedOther", { path: { user, other } }, options),

    unblock: (user: string, other: string, options?: CallOptions) =>
      call("deleteUsersUserBlockedOther", { path: { user, other } }, options),
  };
}

/** All their connections, on whichever nodes. */
function createReach(call: Call) {
  return {
    /** A message to all connections of the user, live only. It is not sent again when the answer is lost. */
    send(user: string, data: unknown, given: SendOptions = {}) {
      const { fields, options } = split(given);
      const body = { ...fields, ...payloadOf(data) };
      return call("postUsersUserSend", { path: { user }, body }, options);
    },

    /** Puts the user's connections into a channel, whatever their tokens allow. */
    subscribe: (user: string, channel: string, options?: CallOptions) =>
      call("postUsersUserSubscribe", { path: { user }, body: { channel } }, options),

    unsubscribe: (user: string, channel: string, options?: CallOptions) =>
      call("postUsersUserUnsubscribe", { path: { user }, body: { channel } }, options),

    /** Closes the user's connections; with `reconnect` they come back. */
    disconnect(user: string, given: DisconnectOptions = {}) {
      const { fields: body, options } = split(given);
      return call("postUsersUserDisconnect", { path: { user }, body }, options);
    },

    /** Asks the user's clients for a new token, as when rights have changed. */
    refresh(user: string, given: RefreshOptions = {}) {
      const { fields, options } = split(given);
      return call("postRefresh", { body: { ...fields, user } }, options);
    },
  };
}
