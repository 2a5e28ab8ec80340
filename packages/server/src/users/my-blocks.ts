// A user's list of those whom they block, as they and backends change it (US7).
import type { BlockedUsersBody, BlockedUsersPush } from "@aldis/protocol";
import { refusal } from "../plugins/index.ts";
import type { Blocks } from "./blocks.ts";
import { readUserCursor, writeCursor } from "./cursor.ts";
import type { Whose } from "./directory.ts";

export type MyBlocksDeps = {
  readonly blocks: Blocks;
  /** To all connections of the user. Whether they get it nobody waits for. */
  push(whose: Whose, push: BlockedUsersPush): void;
};

export function createMyBlocks({ blocks, push }: MyBlocksDeps, blocksMax: number) {
  return {
    async block({ tenant, userId }: Whose, other: string): Promise<{ user: string }> {
      if (other === userId) throw refusal("bad_request", "`user`: nobody blocks themselves");
      const done = await blocks.block({ tenant, userId }, other);
      if (done === "full") throw refusal("limit_reached", `at most ${blocksMax} users are blocked`);
      if (done === "blocked") push({ tenant, userId }, { user: other, blocked: true });
      return { user: other };
    },
    async unblock({ tenant, userId }: Whose, other: string): Promise<{ user: string }> {
      const removed = await blocks.unblock({ tenant, userId }, other);
      if (removed) push({ tenant, userId }, { user: other, blocked: false });
      return { user: other };
    },
    async page(
      { tenant, userId }: Whose,
      { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
    ): Promise<BlockedUsersBody> {
      const listing = JSON.stringify(["blocked", tenant, userId]);
      const after = readUserCursor(listing, cursor);
      const users = await blocks.page({ tenant, userId }, { after, limit: limit + 1 });
      const body: BlockedUsersBody = { users: users.slice(0, limit) };
      const last = users.length > limit ? body.users.at(-1) : undefined;
      if (last !== undefined) body.next = writeCursor(listing, [last.id]);
      return body;
    },
  };
}

export type MyBlocks = ReturnType<typeof createMyBlocks>;
