// A session as it stands in Redis: five lines that scripts read, and one of JSON that nodes read.
import {
  type ChannelName,
  type ChannelPattern,
  isChannelPattern,
  parseChannelName,
  parseChannelPattern,
  type SlowConsumerPolicy,
} from "@aldis/protocol";
import type { Capabilities } from "../../auth/capabilities.ts";
import type { Identity } from "../../auth/identity.ts";
import type { Place } from "../../hub/subscription.ts";
import { readPeerFields, readPeerJson } from "../../peer-json.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type { ParkedSession, ParkedSubscription } from "../parking.ts";

/** Of the last line. What changes the meaning of what stands there takes another; the lines before it stay as they are for ever. */
const RECORD_VERSION = 1;
/** Characters. What is longer is not written: that session can be resumed on its own node alone. */
export const RECORD_MAX_LENGTH = 64 * 1024;

/**
 * `l`: its session was connected when it was written. `p`: its connection had broken, and it says all. Scripts write `c<state>,<owner>,<claim>` besides: the owner
 * has claimed it from that one, and has yet to say that it has it.
 */
export type RecordState = "l" | "p";

/** A node that may have a session, and what its record said; "claimed": it has yet to say so. */
export type Holder = {
  readonly node: string;
  readonly state: RecordState | "claimed";
  readonly claim?: string | undefined;
};

/** In the order in which they are to be asked. */
export function holdersOf(owner: string, state: string): Holder[] {
  if (!state.startsWith("c")) return [{ node: owner, state: state === "p" ? "p" : "l" }];
  const [kind, former = "", claim] = state.split(",");
  return [
    { node: owner, state: "claimed", claim },
    { node: former, state: kind === "cp" ? "p" : "l" },
  ];
}

/** {@link ParkedSession.turn} as a record says it; 0: it is of a version that does not. */
export function turnIn(text: string): number {
  return Number(/\n\{"t":(\d+)/.exec(text)?.[1] ?? 0);
}

/** Whose session it is, as scripts compare it. */
export function bearerText({ tenant, userId }: Pick<Identity, "tenant" | "userId">): string {
  // As JSON: a user id may hold line ends and lone surrogates.
  return JSON.stringify([tenant, userId]);
}

/** Version, owner, state, end of the token, bearer, and the rest. Undefined: it is too long. */
export function writeRecord(
  owner: string,
  state: RecordState,
  session: ParkedSession,
): string | undefined {
  const { identity, tokenWanted } = session;
  // Long past: scripts let nobody have it without a token then.
  const expiry = tokenWanted ? 0 : (identity.expiresAtMs ?? "");
  const head = `${RECORD_VERSION}\n${owner}\n${state}\n${expiry}`;
  const text = `${head}\n${bearerText(identity)}\n${JSON.stringify(bodyOf(session))}`;
  return text.length > RECORD_MAX_LENGTH ? undefined : text;
}

/** {@link ParkedSession.turn} stands first, where scripts find it. */
type RecordBody = {
  t: number;
  n?: string;
  e?: string;
  a?: string;
  /** Anonymous. */
  y?: 1;
  /** Capabilities: names, prefixes. */
  c: readonly [readonly [string, number][], readonly [string, number][]];
  g?: string[];
  /** A new token is wanted. */
  w?: 1;
  s: unknown[];
};

function bodyOf({
  identity,
  subscriptions,
  granted,
  tokenWanted,
  turn = 0,
}: ParkedSession): RecordBody {
  const { name, email, avatar, anonymous, capabilities } = identity;
  const prefixes = capabilities.prefixes.map(({ prefix, rights }): [string, number] => [
    prefix,
    rights,
  ]);
  const body: RecordBody = {
    t: turn,
    c: [[...capabilities.exact], prefixes],
    s: subscriptions.map(writeSubscription),
  };
  if (name !== undefined) body.n = name;
  if (email !== undefined) body.e = email;
  if (avatar !== undefined) body.a = avatar;
  if (anonymous) body.y = 1;
  if (granted !== undefined) body.g = [...granted];
  if (tokenWanted) body.w = 1;
  return body;
}

const LOST_OFFSET = -1;

/** The name alone, or `[name, offset, epoch, policy, ended]` as far as there is something to say. */
function writeSubscription({ name, place, slow, ended }: ParkedSubscription): unknown {
  if (place === undefined && slow === undefined && ended === undefined) return name;
  const { offset, epoch } =
    place === "lost" ? { offset: LOST_OFFSET, epoch: "" } : (place ?? { offset: null, epoch: "" });
  if (ended) return [name, offset, epoch, slow ?? null, 1];
  return slow === undefined ? [name, offset, epoch] : [name, offset, epoch, slow];
}

/**
 * Reads what {@link writeRecord} has written; undefined for anything else, so that what another version or another program wrote harms
 * nobody.
 */
export function readRecord(text: string): ParkedSession | undefined {
  const lines = text.split("\n");
  const [version, , , expiry = "", bearer = "", body = ""] = lines;
  if (lines.length !== 6 || version !== String(RECORD_VERSION)) return undefined;
  const who = readPeerJson(bearer);
  const rest = readPeerFields(body);
  if (!Array.isArray(who) || rest === undefined) return undefined;
  const [tenant, userId]: unknown[] = who;
  const capabilities = readCapabilities(rest["c"]);
  const subscriptions = readList(rest["s"], readSubscription);
  const granted = rest["g"] === undefined ? [] : readList(rest["g"], readText);
  const turn = turnIn(text);
  if (!(isText(tenant) && isText(userId) && capabilities && subscriptions && granted)) {
    return undefined;
  }
  const identity: Identity = {
    tenant: tenant as TenantId,
    userId,
    name: readText(rest["n"]),
    email: readText(rest["e"]),
    avatar: readText(rest["a"]),
    anonymous: rest["y"] === 1,
    capabilities,
    expiresAtMs: expiry === "" ? undefined : Number(expiry),
  };
  const session: ParkedSession = {
    identity,
    subscriptions,
    granted: rest["g"] === undefined ? undefined : new Set(granted),
    ...(turn > 0 && { turn }),
  };
  return rest["w"] === 1 ? { ...session, tokenWanted: true } : session;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function readText(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}

/** All of it, or nothing: half a session would look like a whole one. */
function readList<T>(value: unknown, read: (item: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: T[] = [];
  for (const item of value as unknown[]) {
    const one = read(item);
    if (one === undefined) return undefined;
    items.push(one);
  }
  return items;
}

function readCapabilities(value: unknown): Capabilities | undefined {
  if (!Array.isArray(value)) return undefined;
  const exact = readList(value[0], readRights);
  const prefixes = readList(value[1], readRights);
  if (exact === undefined || prefixes === undefined) return undefined;
  return {
    exact: new Map(exact),
    prefixes: prefixes.map(([prefix, rights]) => ({ prefix, rights })),
  };
}

function readRights(value: unknown): [string, number] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [name, rights]: unknown[] = value;
  return isText(name) && Number.isSafeInteger(rights) ? [name, rights as number] : undefined;
}

const POLICIES: ReadonlySet<unknown> = new Set<SlowConsumerPolicy>([
  "close",
  "drop-oldest",
  "latest",
  "catch-up",
]);

function readSubscription(value: unknown): ParkedSubscription | undefined {
  if (isText(value)) return subscriptionOf(value, undefined, undefined);
  if (!Array.isArray(value)) return undefined;
  const [name, offset, epoch, policy, ended]: unknown[] = value;
  const slow = policy ?? undefined;
  if (!isText(name) || !(slow === undefined || POLICIES.has(slow))) return undefined;
  const place = readPlace(offset, epoch);
  if (place === "unreadable") return undefined;
  const read = subscriptionOf(name, place, slow as SlowConsumerPolicy | undefined);
  return read !== undefined && ended === 1 ? { ...read, ended: true } : read;
}

function subscriptionOf(
  text: string,
  place: Place,
  slow: SlowConsumerPolicy | undefined,
): ParkedSubscription | undefined {
  const name = readName(text);
  return name === undefined ? undefined : { name, place, slow };
}

function readName(text: string): ChannelName | ChannelPattern | undefined {
  const parsed = isChannelPattern(text) ? parseChannelPattern(text) : parseChannelName(text);
  return parsed.ok ? parsed.value : undefined;
}

function readPlace(offset: unknown, epoch: unknown): Place | "unreadable" {
  if (offset === null) return undefined;
  if (offset === LOST_OFFSET) return "lost";
  if (!Number.isSafeInteger(offset) || !isText(epoch)) return "unreadable";
  return { offset: offset as number, epoch };
}
