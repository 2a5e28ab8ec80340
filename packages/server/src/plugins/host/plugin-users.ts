import { pushFrame, type Refusal } from "@aldis/protocol";
import type { Pushes } from "../../reach/pushes.ts";
import type { SessionHooks } from "../../session/hooks.ts";
import type { LiveSessions } from "../../session/live-sessions.ts";
import type { Reach } from "../../session/reach.ts";
import { Unavailable } from "../../unavailable.ts";
import type { PluginUsers, UserPush } from "../context.ts";
import type { PluginSession } from "../plugin-action.ts";
import { BODY_MAX_LENGTH } from "./body-text.ts";
import { checkPushName } from "./reserved.ts";
import { SessionView } from "./session-view.ts";

export type PluginUsersDeps = {
  readonly live: LiveSessions;
  readonly pushes: Pushes;
  readonly reach: Reach;
  /** Undefined: no plugin decides it, or not all have started yet. */
  readonly sending: () => SessionHooks["sending"];
};

/** Users as plugins reach them. */
export function createPluginUsers({ live, pushes, reach, sending }: PluginUsersDeps): PluginUsers {
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
    async hears(tenant, from, to) {
      const decide = sending();
      if (decide === undefined) return to.map(() => true);
      return Promise.all(to.map(async (user) => isHeard(await decide({ tenant, from, to: user }))));
    },
    isHere: (tenant, userId) => live.countOfUser(tenant, userId) > 0,
    here: (tenant, { after, limit }) => firstAfter(live.usersOf(tenant), after, limit),
    sessionsHere(tenant, { from = 0, limit }) {
      const sessions: PluginSession[] = [];
      for (const session of live.ofTenantFrom(tenant, from)) {
        if (sessions.length >= limit) return { sessions, next: session.ordinal };
        sessions.push(new SessionView(session));
      }
      return { sessions, next: undefined };
    },
  };
}

function isHeard(verdict: Refusal | "unheard" | undefined): boolean {
  if (verdict === undefined || verdict === "unheard") return verdict === undefined;
  throw new Unavailable(verdict.message);
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

const SORTED_MIN = 1_000;

/** The first `limit` of `names` in their order, after one of them; the rest is never sorted. */
export function firstAfter(
  names: Iterable<string>,
  after: string | undefined,
  limit: number,
): readonly string[] {
  // Putting each into its place pays for few alone.
  if (limit > SORTED_MIN) {
    const rest = after === undefined ? [...names] : [...names].filter((name) => name > after);
    return rest.sort().slice(0, limit);
  }
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
