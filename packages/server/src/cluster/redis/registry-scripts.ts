import type { Script } from "../../redis/script.ts";

/**
 * The nodes in Redis: `nodes` (id → what it tells of itself), `beats` (id → a counter that each heartbeat moves), and `graves` (id → who clears up what it left; ""
 * for one that said goodbye, which nobody does yet). A node is in `beats` or in `graves`, never in both.
 */
export const REGISTRY_KEYS = ["nodes", "beats", "graves"] as const;

/**
 * Gives the mark of this Redis, which is new when it has lost what it held, then whether this node was known and whether it is in its grave, then
 * everything about all. Who is in its grave stays there until that is cleared: what it tells would be removed again.
 */
export const BEAT: Script = {
  name: "aldisBeat",
  keys: 4,
  lua: `
local mark = redis.call('GET', KEYS[4])
if not mark then
  mark = ARGV[3]
  redis.call('SET', KEYS[4], mark)
end
local known = redis.call('HEXISTS', KEYS[2], ARGV[1])
local buried = redis.call('HEXISTS', KEYS[3], ARGV[1])
if buried == 0 then
  redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return {mark, known, buried, redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3])}`,
};

/** Declares a node dead, if its counter is still the one that was seen. One of those who try it gets 1, and clears up. */
export const BURY: Script = {
  name: "aldisBury",
  keys: 3,
  lua: `
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
return 1`,
};

/** Takes over the clearing up from one who cannot do it; one of those who try it gets 1. */
export const TAKE_GRAVE: Script = {
  name: "aldisTakeGrave",
  keys: 3,
  lua: `
if redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
return 1`,
};

/** All is cleared. */
export const CLEAR_GRAVE: Script = {
  name: "aldisClearGrave",
  keys: 3,
  lua: `
if redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[3], ARGV[1])`,
};

export const GOODBYE: Script = {
  name: "aldisGoodbye",
  keys: 3,
  lua: `
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('HDEL', KEYS[2], ARGV[1]) == 1 then redis.call('HSET', KEYS[3], ARGV[1], '') end
return 1`,
};

/** The mark of one partition, made if there is none. */
export const MARK: Script = {
  name: "aldisMark",
  keys: 1,
  lua: `
local mark = redis.call('GET', KEYS[1])
if mark then return mark end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]`,
};

/** What {@link BEAT} gives. */
export type BeatAnswer = {
  readonly mark: string;
  readonly known: boolean;
  readonly buried: boolean;
  readonly records: ReadonlyMap<string, string>;
  readonly beats: ReadonlyMap<string, string>;
  readonly graves: ReadonlyMap<string, string>;
};

export function readBeatAnswer(answer: unknown): BeatAnswer {
  const [mark, known, buried, records, beats, graves] = answer as unknown[];
  return {
    mark: String(mark),
    known: known === 1,
    buried: buried === 1,
    records: mapOf(records),
    beats: mapOf(beats),
    graves: mapOf(graves),
  };
}

function mapOf(flat: unknown): ReadonlyMap<string, string> {
  const list = flat as readonly unknown[];
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < list.length; i += 2) map.set(String(list[i]), String(list[i + 1]));
  return map;
}
