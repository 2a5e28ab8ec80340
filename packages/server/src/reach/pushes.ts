// Pushes to users wherever in the cluster they are: to many with one message for each other node. Called for plugins.
import { FIELD_LIMITS, type Fields, field, isFields, requiredBoolean } from "@aldis/protocol";
import { fieldsOf, tenantIn } from "../cluster/bus-fields.ts";
import type { BusAnswer, NodeBus } from "../cluster/node-bus.ts";
import type { NodeRegistry } from "../cluster/node-registry.ts";
import type { LiveSessions } from "../session/live-sessions.ts";
import type { Reached } from "../session/reach.ts";
import type { Session } from "../session/session.ts";
import type { TenantId } from "../tenant/tenant.ts";

/** A frame for one user. Frames that are the same string cross the bus once. */
export type FrameFor = { readonly userId: string; readonly frame: string };

export type PushedTo = {
  /** How many connections each frame was handed to, in their order. */
  readonly connections: readonly number[];
  readonly missing: readonly string[];
};

type How = { readonly urgent: boolean };

export type Pushes = {
  /** To all connections of each user; `hereOnly`: those to this node. */
  toUsers(
    tenant: TenantId,
    frames: readonly FrameFor[],
    how: How & { readonly hereOnly?: boolean },
  ): Promise<PushedTo>;
  /** To everyone of a tenant who is connected. */
  toAll(tenant: TenantId, frame: string, how: How): Promise<Reached>;
};

export type PushesDeps = {
  readonly live: LiveSessions;
  readonly registry: Pick<NodeRegistry, "others">;
  readonly bus: NodeBus;
};

const TO_USERS = "reach.push_many";
const TO_ALL = "reach.push_all";
/** One message between nodes holds so many users, and so many characters of frames, unless one alone is longer. */
const USERS_MAX = 1_000;
const FRAMES_MAX_LENGTH = 1024 * 1024;
const FRAME_MAX_LENGTH = 4 * 1024 * 1024;

export function createPushes({ live, registry, bus }: PushesDeps): Pushes {
  function toUser(tenant: TenantId, { userId, frame }: FrameFor, how: How): number {
    let count = 0;
    for (const session of [...live.byUser(tenant, userId)]) {
      hand(session, frame, how);
      count++;
    }
    return count;
  }

  function toAllHere(tenant: TenantId, frame: string, how: How): number {
    let count = 0;
    for (const session of [...live.ofTenantFrom(tenant, 0)]) {
      hand(session, frame, how);
      count++;
    }
    return count;
  }

  bus.on(TO_USERS, (body) => {
    const fields = fieldsOf(body);
    const tenant = tenantIn(fields);
    const how = { urgent: requiredBoolean(fields, "urgent") };
    return { connections: readFrames(fields).map((one) => toUser(tenant, one, how)) };
  });
  bus.on(TO_ALL, (body) => {
    const fields = fieldsOf(body);
    const frame = field(fields, "frame");
    if (!isFrame(frame)) return { connections: 0 };
    const how = { urgent: requiredBoolean(fields, "urgent") };
    return { connections: toAllHere(tenantIn(fields), frame, how) };
  });

  return {
    async toUsers(tenant, frames, how) {
      const connections = frames.map((one) => toUser(tenant, one, how));
      const missing = new Set<string>();
      const others = how.hereOnly === true ? [] : registry.others;
      await Promise.all(
        others.map(async (node) => {
          // One after the other: what is told a user comes in order.
          for (const { start, part } of partsOf(frames)) {
            const body = { tenant, urgent: how.urgent, ...writeFrames(part) };
            const answer = await bus.request(node, TO_USERS, body);
            const counts = countsIn(answer, part.length);
            if (counts === undefined) missing.add(node);
            else for (const [i, count] of counts.entries()) add(connections, start + i, count);
          }
        }),
      );
      return { connections, missing: [...missing] };
    },
    async toAll(tenant, frame, { urgent }) {
      let connections = toAllHere(tenant, frame, { urgent });
      const missing: string[] = [];
      await Promise.all(
        registry.others.map(async (node) => {
          const answer = await bus.request(node, TO_ALL, { tenant, urgent, frame });
          const count = countIn(answer);
          if (count === undefined) missing.push(node);
          else connections += count;
        }),
      );
      return { connections, missing };
    },
  };
}

function hand({ connection }: Session, frame: string, { urgent }: How): void {
  if (urgent) connection.sendUrgent(frame);
  else connection.send(frame);
}

function add(counts: number[], at: number, count: number): void {
  counts[at] = (counts[at] ?? 0) + count;
}

type Part = { readonly start: number; readonly part: readonly FrameFor[] };

/** In pieces that a message between nodes has room for. */
function partsOf(frames: readonly FrameFor[]): Part[] {
  const parts: Part[] = [];
  let start = 0;
  let length = 0;
  let seen = new Set<string>();
  for (const [index, { frame }] of frames.entries()) {
    const more = seen.has(frame) ? 0 : frame.length;
    const full = index - start >= USERS_MAX || length + more > FRAMES_MAX_LENGTH;
    if (full && index > start) {
      parts.push({ start, part: frames.slice(start, index) });
      [start, length, seen] = [index, 0, new Set()];
    }
    if (!seen.has(frame)) length += frame.length;
    seen.add(frame);
  }
  if (start < frames.length) parts.push({ start, part: frames.slice(start) });
  return parts;
}

/** What stands on the bus: each frame once, and for each user which one is theirs. */
function writeFrames(part: readonly FrameFor[]): Fields {
  const places = new Map<string, number>();
  const users = part.map(({ userId, frame }) => {
    const place = places.get(frame) ?? places.size;
    places.set(frame, place);
    return [userId, place];
  });
  return { frames: [...places.keys()], users };
}

/** What another node has written: what is not readable is passed over, and its users get nothing. */
function readFrames(fields: Fields): FrameFor[] {
  const [frames, users] = [field(fields, "frames"), field(fields, "users")];
  if (!Array.isArray(frames) || !Array.isArray(users)) return [];
  return users.slice(0, USERS_MAX).map((user: unknown) => {
    const [userId, place] = Array.isArray(user) ? user : [];
    const frame: unknown = frames[place];
    const fits = typeof userId === "string" && userId.length <= FIELD_LIMITS.user && isFrame(frame);
    return fits ? { userId, frame } : { userId: "", frame: "" };
  });
}

function isFrame(frame: unknown): frame is string {
  return typeof frame === "string" && frame.length > 0 && frame.length <= FRAME_MAX_LENGTH;
}

/** Undefined: the node did not say. Of one that is gone there are no connections. */
function countsIn(answer: BusAnswer, length: number): readonly number[] | undefined {
  if (!answer.ok) return answer.cause === "gone" ? [] : undefined;
  const counts = isFields(answer.body) ? field(answer.body, "connections") : undefined;
  if (!Array.isArray(counts) || counts.length !== length) return undefined;
  return counts.every((count) => Number.isSafeInteger(count)) ? counts : undefined;
}

function countIn(answer: BusAnswer): number | undefined {
  if (!answer.ok) return answer.cause === "gone" ? 0 : undefined;
  const count = isFields(answer.body) ? field(answer.body, "connections") : undefined;
  return Number.isSafeInteger(count) ? (count as number) : undefined;
}
