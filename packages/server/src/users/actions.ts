// Commands of clients (US4 to US7).
import {
  FIELD_LIMITS,
  FieldError,
  type Fields,
  optionalInteger,
  optionalString,
  refuse,
  requiredString,
  USER_LIMITS,
} from "@aldis/protocol";
import {
  action,
  type Identity,
  type PluginAction,
  refusal,
  type TenantId,
} from "../plugins/index.ts";
import type { Lookups, UserList } from "./lookups.ts";
import type { MyBlocks } from "./my-blocks.ts";
import type { Viewers } from "./viewer.ts";

export type ActionDeps = {
  readonly lookups: Lookups;
  readonly viewers: Viewers;
  readonly blocks: MyBlocks;
  /** How long a user has to wait before the next list or search; 0: not at all. */
  waitMs(tenant: TenantId, userId: string): number;
};

export const NOT_FOUND = refuse("not_found", "no such user");

export function usersActions(deps: ActionDeps): Readonly<Record<string, PluginAction>> {
  const { lookups, viewers, blocks } = deps;
  return {
    get_connected_users: action({
      input: pageOf,
      async run({ session: { identity }, input }) {
        takeTurn(deps, identity);
        return toldToUser(await lookups.connected(viewers.of(identity), input));
      },
    }),
    search_users: action({
      input: searchOf,
      async run({ session: { identity }, input }) {
        takeTurn(deps, identity);
        const { users, next } = await lookups.search(viewers.of(identity), input);
        return { users, ...(next !== undefined && { next }) };
      },
    }),
    get_user: action({
      input: userOf,
      async run({ session: { identity }, input }) {
        const user = await lookups.one(viewers.of(identity), input.user);
        if (user === undefined) throw new FieldError(NOT_FOUND);
        return user;
      },
    }),
    block_user: action({
      input: userOf,
      run: ({ session, input }) => blocks.block(blockerOf(session.identity), input.user),
    }),
    unblock_user: action({
      input: userOf,
      run: ({ session, input }) => blocks.unblock(blockerOf(session.identity), input.user),
    }),
    blocked_users: action({
      input: pageOf,
      run: ({ session, input }) => blocks.page(blockerOf(session.identity), input),
    }),
  };
}

/** Attack: lists in a loop, each of which asks all nodes. */
export function takeTurn({ waitMs }: Pick<ActionDeps, "waitMs">, identity: Identity): void {
  const wait = waitMs(identity.tenant, identity.userId);
  if (wait === 0) return;
  const told = refuse("rate_limited", "too many lists of users");
  throw new FieldError({ ...told, retryAfterMs: Math.ceil(wait) });
}

export function blockerOf(identity: Identity): Identity {
  if (identity.anonymous) throw refusal("forbidden", "anonymous users block nobody");
  return identity;
}

/** How many nodes are missing: which there are is no client's business. */
export function toldToUser({ users, next, missing }: UserList): object {
  return {
    users,
    ...(next !== undefined && { next }),
    ...(missing.length > 0 && { missing: missing.length }),
  };
}

function pageOf(data: Fields) {
  return {
    limit:
      optionalInteger(data, "limit", { min: 1, max: FIELD_LIMITS.pageMax }) ??
      FIELD_LIMITS.pageDefault,
    cursor: optionalString(data, "cursor", USER_LIMITS.cursor),
  };
}

function searchOf(data: Fields) {
  return {
    query: requiredString(data, "q", USER_LIMITS.query),
    limit:
      optionalInteger(data, "limit", { min: 1, max: USER_LIMITS.searchMax }) ??
      USER_LIMITS.searchDefault,
    cursor: optionalString(data, "cursor", USER_LIMITS.cursor),
  };
}

function userOf(data: Fields) {
  return { user: requiredString(data, "user", FIELD_LIMITS.user) };
}
