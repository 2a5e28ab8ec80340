// What Redis keeps of keys beside BullMQ's own: when they are looked at next, how often they failed, whose turn comes first. All keys of a queue lie together.
import type { Script } from "../../redis/script.ts";
import { SKEW_MS } from "../set-back.ts";

/** Keys of one tenant that stand before those of the next one that has as many: one more would cost the order its range sooner. */
const TURN = 16;
/** BullMQ's. */
const PRIORITY_MAX = 2_097_152;

const SHARED = `
local waiting, tenants, clock, states, forced, later = unpack(KEYS)
local id = ARGV[1]
local function state(of)
  local text = redis.call('HGET', states, of) or ''
  local failures, paused, wait, turn = string.match(text, '^(%d+) (%d+) (%d+) (.*)$')
  if not turn then return 0, 0, 0, '' end
  return tonumber(failures), tonumber(paused), tonumber(wait), turn
end
-- Whoever would wait longer than it was to has waited enough: the clock was set back.
local function waits(paused, wait, now)
  return paused > now and paused - now <= wait + ${SKEW_MS}
end
`;

/**
 * A key is woken. KEYS: {@link stateKeys}. ARGV: id, tenant, now, 1 if by \`now\`. Returns its priority; 0: it waits, and is in \`later\`.
 * Start-time fair queueing: each tenant's keys are numbered on from where the work stands now, and lower numbers go first. A key that waits already keeps its number.
 */
export const WAKE: Script = {
  name: "jobs-wake",
  keys: 6,
  lua: `${SHARED}
local tenant, now, force = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local failures, paused, wait = state(id)
if force == '1' then
  redis.call('SADD', forced, id)
elseif waits(paused, wait, now) then
  redis.call('ZADD', later, paused, id)
  return 0
end
local number = tonumber(redis.call('HGET', waiting, id) or '')
if not number then
  local stands = tonumber(redis.call('GET', clock) or '0')
  number = math.max(stands, tonumber(redis.call('HGET', tenants, tenant) or '0'))
  redis.call('HSET', tenants, tenant, number + 1)
  redis.call('HSET', waiting, id, number)
end
return math.min(${PRIORITY_MAX}, math.floor(number / ${TURN}) + 1)
`,
};

/** A key is to be looked at at a time. ARGV: id, the time. */
export const WAKE_LATER: Script = {
  name: "jobs-wake-later",
  keys: 6,
  lua: `${SHARED}
return redis.call('ZADD', later, 'LT', ARGV[2], id)
`,
};

/** A turn begins. ARGV: id, now, its number. Returns how often the key has failed; nothing: it is to wait still. */
export const BEGIN: Script = {
  name: "jobs-begin",
  keys: 6,
  lua: `${SHARED}
local now, turn = tonumber(ARGV[2]), ARGV[3]
local number = tonumber(redis.call('HGET', waiting, id) or '')
if number then
  redis.call('HDEL', waiting, id)
  if number > tonumber(redis.call('GET', clock) or '0') then redis.call('SET', clock, number) end
  if redis.call('HLEN', waiting) == 0 then redis.call('DEL', tenants, clock) end
end
local failures, paused, wait = state(id)
if redis.call('SREM', forced, id) == 0 and waits(paused, wait, now) then
  redis.call('ZADD', later, paused, id)
  return false
end
redis.call('ZREM', later, id)
redis.call('HSET', states, id, failures .. ' 0 0 ' .. turn)
return failures
`,
};

/** A turn ends. ARGV: id, its number, how, failures, a time, how long that is to wait. Returns 0 if another has begun meanwhile: then it changes nothing. */
export const END: Script = {
  name: "jobs-end",
  keys: 6,
  lua: `${SHARED}
local mine, how, count, at, wait = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local _, _, _, turn = state(id)
if turn ~= mine then return 0 end
if how == 'paused' then
  redis.call('HSET', states, id, count .. ' ' .. at .. ' ' .. wait .. ' ')
  redis.call('ZADD', later, at, id)
elseif how == 'stopped' then
  redis.call('HSET', states, id, count .. ' 0 0 ')
  redis.call('ZADD', later, 'LT', at, id)
else
  redis.call('HDEL', states, id)
  if how == 'at' then redis.call('ZADD', later, 'LT', at, id) end
end
return 1
`,
};

/** Takes keys whose time has come: until a moment from now no other process does. ARGV: nothing, now, that moment, how many. */
export const RING: Script = {
  name: "jobs-ring",
  keys: 6,
  lua: `${SHARED}
local due = redis.call('ZRANGEBYSCORE', later, '-inf', ARGV[2], 'LIMIT', 0, ARGV[4])
for _, each in ipairs(due) do redis.call('ZADD', later, ARGV[3], each) end
return due
`,
};

/** Has keys looked at that would wait for too long, as the clock was set back. ARGV: nothing, now, of those far from now the place of the first, and how many are looked at. Returns how many it looked at, and how many of these stay where they are. */
export const RING_STRETCHED: Script = {
  name: "jobs-ring-stretched",
  keys: 6,
  lua: `${SHARED}
local now = tonumber(ARGV[2])
local far = redis.call('ZRANGEBYSCORE', later, now + ${SKEW_MS}, '+inf', 'LIMIT', ARGV[3], ARGV[4])
local kept = #far
for _, each in ipairs(far) do
  local failures, paused, wait = state(each)
  if paused > now and not waits(paused, wait, now) then
    redis.call('HSET', states, each, failures .. ' 0 0 ')
    redis.call('ZADD', later, now, each)
    kept = kept - 1
  end
end
return {#far, kept}
`,
};

/** Such a key was woken. ARGV: id, the moment until which it was taken: should it wait for another time now, it goes on waiting. */
export const RUNG: Script = {
  name: "jobs-rung",
  keys: 6,
  lua: `${SHARED}
if redis.call('ZSCORE', later, id) == ARGV[2] then redis.call('ZREM', later, id) end
return 0
`,
};
