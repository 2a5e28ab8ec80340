// The entry `@aldis/client/users`.
import type { BlockedUsersPush, DirectoryActions } from "@aldis/protocol";
import type { Client } from "./api.ts";

export type {
  BlockedUsersBody,
  BlockedUsersPush,
  ConnectedUsersBody,
  DirectoryUser,
  FoundUsersBody,
} from "@aldis/protocol";

type Page = { readonly limit?: number | undefined; readonly cursor?: string | undefined };
type Answer<A extends keyof DirectoryActions> = Promise<DirectoryActions[A]["reply"]>;

/** `client.users`: what the tenant lets one user know of others, and whom this one does not want to hear. */
export type Users = {
  /** Those of whom each word of `q` begins a word of their id or name. A page may be empty and still have a `next`. */
  search(q: string, page?: Page): Answer<"search_users">;
  /** Rejects with `not_found` for who is not there, or not to be seen. */
  get(user: string): Answer<"get_user">;
  connected(page?: Page): Answer<"get_connected_users">;
  /** Their direct messages and notifications come no longer. Repeating it is no error. */
  block(user: string): Answer<"block_user">;
  unblock(user: string): Answer<"unblock_user">;
  blocked(page?: Page): Answer<"blocked_users">;
  /** This user has blocked somebody, or no longer does, on whatever device. Returns the function that removes the listener. */
  onBlocked(listener: (change: BlockedUsersPush) => void): () => void;
};

/** The directory of users (docs/protocol.md, section Users). Give it to `createClient({ use: { users } })`. Needs a gateway with a store. */
export function users(client: Client): Users {
  const ask = <A extends keyof DirectoryActions>(action: A, input: object) =>
    client.request(action, input) as Answer<A>;
  return {
    search: (q, page) => ask("search_users", { q, ...page }),
    get: (user) => ask("get_user", { user }),
    connected: (page) => ask("get_connected_users", { ...page }),
    block: (user) => ask("block_user", { user }),
    unblock: (user) => ask("unblock_user", { user }),
    blocked: (page) => ask("blocked_users", { ...page }),
    onBlocked: (listener) =>
      client.on("push", ({ action, data }) => {
        if (action === "blocked_users") listener(data as BlockedUsersPush);
      }),
  };
}
