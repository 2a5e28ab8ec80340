// The directory of users, as a plugin: who they are, who is connected, who blocks whom.
import { field, isFields } from "@aldis/protocol";
import { definePlugin, type PluginContext, type PluginParts } from "../plugins/index.ts";
import { usersActions } from "./actions.ts";
import { Blocks } from "./blocks.ts";
import { blocks as blockRecords, profiles, usersPlan, words } from "./collections.ts";
import { type UsersConfig, usersSchema } from "./config.ts";
import { Directory, type Whose } from "./directory.ts";
import { Lookups } from "./lookups.ts";
import { createMyBlocks } from "./my-blocks.ts";
import { askedIn, createOnline } from "./online.ts";
import { usersRoutes } from "./routes.ts";
import { createUpserts } from "./upserts.ts";
import { createViewers } from "./viewer.ts";
import { WriteBehind } from "./write-behind.ts";

const FORGET = "forget";
const BLOCKS = "blocks";

/** Section "Users" of docs/protocol.md. */
export const users = definePlugin<UsersConfig>({
  name: "users",
  config: usersSchema,
  store: usersPlan,
  setup: createUsers,
});

function createUsers(context: PluginContext<UsersConfig>): PluginParts<UsersConfig> {
  const { clock, config, nodes } = context;
  const count = (event: string, by?: number) => context.count(event, by);
  const wordRecords = context.records(words);
  const directory = new Directory({
    profiles: context.records(profiles),
    words: wordRecords,
    clock,
  });
  const online = createOnline({ clock, users: context.users, nodes });
  const blocks = new Blocks(
    {
      records: context.records(blockRecords),
      clock,
      count,
      tellOthers: ({ tenant, userId }) => nodes.tellOthers(BLOCKS, { tenant, userId }),
    },
    config,
  );
  const writeBehind = new WriteBehind(
    {
      clock,
      directory,
      count,
      isHere: (tenant, userId) => context.users.isHere(tenant, userId),
      elsewhere: (tenant, userIds) => online.elsewhere(tenant, userIds),
    },
    config,
  );
  nodes.on(FORGET, (body) => forgetHere(whoseIn(body)));
  nodes.on(BLOCKS, (body) => blocks.forget(whoseIn(body)));
  context.every(config.writeIntervalMs, () => writeBehind.flush());

  function forgetHere({ tenant, userId }: Whose): void {
    writeBehind.forget(tenant, userId);
  }

  const upserts = createUpserts(
    {
      directory,
      blocks,
      forget({ tenant, userId }) {
        forgetHere({ tenant, userId });
        nodes.tellOthers(FORGET, { tenant, userId });
      },
    },
    config.dataMaxBytes,
  );
  const rate = context.rate(config.listsPerSecond, config.listsBurst);
  const parts = {
    lookups: new Lookups({ clock, directory, words: wordRecords, online, blocks }),
    viewers: createViewers(config),
    blocks: createMyBlocks({ blocks, push: pushTo(context) }, config.blocksMax),
    upserts,
    waitMs: (tenant: string, userId: string) => rate.waitMs(`${tenant}/${userId}`),
  };
  return {
    actions: usersActions(parts),
    routes: usersRoutes(parts),
    hooks: {
      connected: ({ session }) => writeBehind.connected(session.identity),
      sending: ({ tenant, from, to }) => isUnblocked(blocks.blocks({ tenant, userId: to }, from)),
      disconnected: ({ identity }) => writeBehind.disconnected(identity),
    },
    close: () => writeBehind.close(),
  };
}

/** In the same turn where the list is at hand. */
function isUnblocked(isBlocked: boolean | Promise<boolean>): boolean | Promise<boolean> {
  return isBlocked instanceof Promise ? isBlocked.then((blocked) => !blocked) : !isBlocked;
}

/** Nobody waits for it: whoever misses it reads their list anew. */
function pushTo({ users: reached, count }: PluginContext<UsersConfig>) {
  return ({ tenant, userId }: Whose, data: object): void => {
    const push = { userId, action: "blocked_users", data };
    reached.push(tenant, [push]).catch(() => count("push_failed"));
  };
}

function whoseIn(body: unknown): Whose {
  const { tenant } = askedIn(body);
  const userId = isFields(body) ? field(body, "userId") : undefined;
  if (typeof userId !== "string") throw new TypeError("no user");
  return { tenant, userId };
}
