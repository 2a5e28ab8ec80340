import type { Script } from "../../redis/script.ts";
import { PRELUDE } from "./lua.ts";

/**
 * A publish as one step: the answer of an idempotency key, version, epoch, offset, append, trim, and handing on. Answers
 * `{"p"ublished | "s"uppressed, duplicate, epoch, offset}`.
 *
 * Keys: meta, stream, part, topic, `wide` topic, and the idempotency key if there is one. Topics of a Redis Cluster know no patterns: while
 * somebody listens to prefixes, which a lease in the partition says, all its channels are told in the wide topic as well.
 *
 * `run` is of the server that it is for: another one does not know the script. `{"f", 0, "", wait}`: nodes are telling what they know, so
 * that no offset is given twice; `{"a"}`: the server has forgotten that nodes have arrived.
 */
export function publishScript(publish: "PUBLISH" | "SPUBLISH", run: string): Script {
  const name = `aldisPublish${publish}`;
  const isSharded = publish === "SPUBLISH";
  const lua = `${PRELUDE}
local run = '${run}'
local meta, stream, part, topic, wide, once = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local time = now(ARGV[1])
local at = ARGV[2] == '' and time or tonumber(ARGV[2])
local before, after, head = ARGV[3], ARGV[4], ARGV[5]
local size, ttl, maxBytes = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local idle, hash, fresh = tonumber(ARGV[9]), ARGV[10], ARGV[11]
local version, onceMs = ARGV[12], ARGV[13]

if once then
  local known = redis.call('GET', once)
  if known then
    local untilMs, kind, epoch, offset = string.match(known, '^(%d+) (%a) (%S+) (%d+)$')
    if tonumber(untilMs) > time then return {kind, 1, epoch, tonumber(offset)} end
  end
end

local epoch, top, latest, bytes, _, of = open(meta, stream, part, time, idle, fresh, hash, run)

-- The first publish since this server runs, or has taken over.
if of ~= run then
  local p = redis.call('HMGET', part, 'run', 'fence')
  if p[1] ~= run then return {'a', 0, '', 0} end
  if tonumber(p[2] or '0') > time then return {'f', 0, '', tonumber(p[2]) - time} end
  redis.call('HSET', meta, 'r', run, 's', text(top))
end

local function answer(kind, offset)
  if once then
    local known = string.format('%.0f %s %s %.0f', time + onceMs, kind, epoch, offset)
    redis.call('SET', once, known, 'PX', onceMs)
  end
  return {kind, 0, epoch, offset}
end

if version ~= '' and tonumber(version) <= latest then return answer('s', top) end

local offset = top + 1
local message = head .. before .. text(offset) .. ',"at":' .. text(at) .. after
local total = bytes + #message
local life = size > 0 and math.max(idle, ttl) or idle
redis.call('HSET', meta, 'e', epoch, 'o', text(offset), 'b', text(total),
  'x', text(time + life), 'r', run)
if version ~= '' then redis.call('HSET', meta, 'v', version) end
keep(meta, life)
if size > 0 and ttl > 0 then
  redis.call('XADD', stream, id(offset), 't', text(time), 'c', text(bytes), 'm', message)
  keep(stream, ttl)
end
if size <= 0 or ttl <= 0 or top > 0 or #message > maxBytes then
  trim(stream, offset, total, time, size, ttl, maxBytes)
end
local told = 'p' .. epoch .. ' ' .. text(offset) .. ' ' .. message
redis.call('${publish}', topic, told)
${isSharded ? WIDE : ""}return answer('p', offset)
`;
  return { name, lua };
}

/** Keys: part, topic. Argument: what to say there. Answers the server's time, which the partition remembers. */
export function probeScript(publish: "PUBLISH" | "SPUBLISH", run: string): Script {
  const lua = `${PRELUDE}
-- ${run}
local seen = text(now(''))
redis.call('HSET', KEYS[1], 'seen', seen)
redis.call('${publish}', KEYS[2], ARGV[1])
return seen
`;
  return { name: `aldisProbe${publish}`, keys: 2, lua };
}

const WIDE = `
if tonumber(redis.call('HGET', part, 'wide') or '0') > time then
  redis.call('SPUBLISH', wide, ARGV[14] .. ' ' .. told)
end
`;

/** Somebody listens to prefixes. Key: part. Arguments: time, for how long. */
export const WIDEN_SCRIPT: Script = {
  name: "aldisWiden",
  keys: 1,
  lua: `${PRELUDE}
local untilMs = now(ARGV[1]) + ARGV[2]
if tonumber(redis.call('HGET', KEYS[1], 'wide') or '0') < untilMs then
  redis.call('HSET', KEYS[1], 'wide', text(untilMs))
end
`,
};
