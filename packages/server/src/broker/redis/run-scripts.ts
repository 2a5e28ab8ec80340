import type { Script } from "../../redis/script.ts";
import { PRELUDE } from "./lua.ts";

/** For how long a partition takes no publishes in channels of an earlier run. */
const FENCE_MS = 1_000;
/** A node knows the tops of so long; what was lost beyond that is anybody's guess. */
export const KNOWN_MS = 10_000;

/**
 * A node has come to a server that it does not know. The first one there begins a new run of the partition: a fence, in which the nodes
 * report what they know. A node that has seen the partition shortly before what it now holds vouches for it.
 *
 * Key: part. Arguments: time, when this node last saw the partition in the former run, by the clock of its server, or nothing. Answers the
 * run, and how long the fence still stands.
 */
export const ARRIVE_SCRIPT: Script = {
  name: "aldisArrive",
  keys: 1,
  lua: `${PRELUDE}
local part = KEYS[1]
local time, known = now(ARGV[1]), tonumber(ARGV[2])
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local p = redis.call('HMGET', part, 'run', 'seen')
if p[1] ~= run then
  if p[1] then redis.call('HDEL', part, 'era', 'eraUntil', 'ok') end
  -- Nothing of it is here: there is nothing to be fenced.
  local fence = p[1] and time + ${FENCE_MS} or 0
  redis.call('HSET', part, 'run', run, 'from', p[2] or '0', 'fence', text(fence))
end
local q = redis.call('HMGET', part, 'from', 'fence')
if known and known - tonumber(q[1]) <= ${KNOWN_MS} then redis.call('HSET', part, 'ok', run) end
return {run, math.max(0, tonumber(q[2]) - time)}
`,
};

/**
 * What a node knows of the tops in the former run. A channel that has gone back behind it starts anew; also when it was published in
 * meanwhile, since then an offset may stand for two publications.
 *
 * Keys: part, then meta and stream of each. Arguments: time, idle, fresh, then hash, epoch, top of each. Answers how many started anew.
 */
export const REPORT_SCRIPT: Script = {
  name: "aldisReport",
  lua: `${PRELUDE}
local part = KEYS[1]
local time, idle, fresh = now(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local run = redis.call('HGET', part, 'run')
local renewed = 0

local function isBehind(meta, epoch, top)
  local m = redis.call('HMGET', meta, 'e', 'o', 's', 'r')
  if not m[1] then return top > 0 end
  if m[1] ~= epoch then return false end
  local began = m[4] == run and m[3] or m[2]
  -- An epoch of this run has not gone back.
  if m[4] == run and not m[3] then return false end
  return top > tonumber(began)
end

for i = 2, #KEYS, 2 do
  local a = 3 + (i / 2 - 1) * 3
  if isBehind(KEYS[i], ARGV[a + 2], tonumber(ARGV[a + 3])) then
    renew(KEYS[i], KEYS[i + 1], part, time, idle, fresh, ARGV[a + 1])
    renewed = renewed + 1
  end
end
return renewed
`,
};
