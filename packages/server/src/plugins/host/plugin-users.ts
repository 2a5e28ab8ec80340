import { pushFrame } from "@aldis/protocol";
import type { Pushes } from "../../reach/pushes.ts";
import type { LiveSessions } from "../../session/live-sessions.ts";
import type { Reach } from "../../session/reach.ts";
import type { PluginUsers, UserPush } from "../context.ts";
import { BODY_MAX_LENGTH } from "./body-text.ts";
import { checkPushName } from "./reserved.ts";

export type PluginUsersDeps = {
  readonly live: LiveSessions;
  readonly pushes: Pushes;
  readonly reach: Reach;
};

/** Users as plugins reach them. */
export function createPluginUsers({ live, pushes, reach }: PluginUsersDeps): PluginUsers {
  return {
    async push(tenant, list, how) {
      const frames = framesOf(list);
      const { urgent = false, hereOnly = false } = how ?? {};
      return await pushes.toUsers(tenant, frames, { urgent, hereOnly });
    },
    async pushToAll(tenant, { action, data }, how) {
      return await pushes.toAll(tenant, frameOf(action, data), { urgent: how?.urgent ?? false });
    },
    unsubscribe: async (tenant, userId, channel) =>
      await reach.unsubscribe({ tenant, to: { user: userId } }, channel),
    isHere: (tenant, userId) => live.countOfUser(tenant, userId) > 0,
    here: (tenant, { after, limit }) => firstAfter(live.usersOf(tenant), after, limit),
  };
}

/** Encoded once for those who are told the same. */
function framesOf(list: readonly UserPush[]) {
  const known = new Map<object, { readonly action: string; readonly frame: string }>();
  return list.map(({ userId, action, data }) => {
    const former = known.get(data);
    if (former?.action === action) return { userId, frame: former.frame };
    const frame = frameOf(action, data);
    known.set(data, { action, frame });
    return { userId, frame };
  });
}

function frameOf(action: string, data: object): string {
  checkPushName(action);
  const frame = pushFrame(action, data);
  if (frame.length > BODY_MAX_LENGTH) throw new TypeError("a push is shorter");
  return frame;
}

/** The first `limit` of `names` in their order, after one of them; the rest is never sorted. */
export function firstAfter(
  names: Iterable<string>,
  after: string | undefined,
  limit: number,
): readonly string[] {
  const first: string[] = [];
  for (const name of names) {
    if (after !== undefined && name <= after) continue;
    const last = first.at(-1);
    if (first.length >= limit && (last === undefined || name >= last)) continue;
    first.splice(placeFor(first, name), 0, name);
    if (first.length > limit) first.pop();
  }
  return first;
}

function placeFor(sorted: readonly string[], name: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
